-- A file of schema 1 as `sqlite3 .dump` writes it. Never change it: lb must read it for ever.
PRAGMA application_id = 1818374193;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE gone (kind TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (kind, id));
INSERT INTO "gone" VALUES('rule',X'61726E3A676F6E65',3);
CREATE TABLE record (
            place INTEGER PRIMARY KEY, kind TEXT NOT NULL, id BLOB NOT NULL,
            version INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id));
INSERT INTO "record" VALUES(2,'load-balancer',X'61726E3A6C62',1,'{"region":"eu-west-1","account":"123456789012","shape":{"LoadBalancerName":"web"},"attributes":{"idle_timeout.timeout_seconds":"30"},"tags":{"team":"web"}}');
INSERT INTO "record" VALUES(3,'target',X'74672FC3BC3A3830',2,'{"region":"eu-west-1","account":"123456789012","shape":{"Id":"\u00fc","Port":80},"parent":"tg","more":{"x":null}}');
CREATE TABLE state (version INTEGER NOT NULL);
INSERT INTO "state" VALUES(3);
CREATE INDEX record_by_version ON record (version);
CREATE INDEX gone_by_version ON gone (version);
COMMIT;
