-- The tables of schema 1 with a few rows. Never change this file: lb must read such tables for ever.
CREATE TABLE lb_schema (step INT PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO lb_schema VALUES (1);
CREATE TABLE lb_state (id INT PRIMARY KEY, version BIGINT NOT NULL) ENGINE=InnoDB;
INSERT INTO lb_state VALUES (1, 3);
CREATE TABLE lb_commit (version BIGINT PRIMARY KEY, token CHAR(32) NOT NULL) ENGINE=InnoDB;
INSERT INTO lb_commit VALUES (1, 'a'), (2, 'b'), (3, 'c');
CREATE TABLE lb_record (
    place BIGINT AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(40) NOT NULL, id VARBINARY(1024) NOT NULL,
    version BIGINT NOT NULL, body LONGTEXT NOT NULL, UNIQUE KEY (kind, id), KEY (version)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT INTO lb_record VALUES
    (2, 'load-balancer', 'arn:lb', 1, '{"region":"eu-west-1","account":"123456789012","shape":{"LoadBalancerName":"web"}}'),
    (3, 'target', x'74672FC3BC3A3830', 2, '{"region":"eu-west-1","account":"123456789012","shape":{"Port":80},"parent":"tg"}');
CREATE TABLE lb_gone (
    kind VARCHAR(40) NOT NULL, id VARBINARY(1024) NOT NULL, version BIGINT NOT NULL,
    PRIMARY KEY (kind, id), KEY (version)
) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT INTO lb_gone VALUES ('rule', 'arn:gone', 3);
