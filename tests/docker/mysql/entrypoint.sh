#!/bin/bash
# Starts MariaDB as the official mysql image starts MySQL: on first start the data directory is made and the
# accounts and the database named by MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER and MYSQL_PASSWORD with it.
set -euo pipefail

: "${MYSQL_ROOT_PASSWORD:?must be set, as for the official mysql image}"

quoted() { # SQL string literal
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

named() { # SQL identifier
    printf '`%s`' "${1//\`/\`\`}"
}

install -d -o mysql -g mysql /run/mysqld /var/lib/mysql
arguments=(--user=mysql --bind-address=0.0.0.0 --skip-log-bin --console)
if [[ ! -d /var/lib/mysql/mysql ]]; then
    mariadb-install-db --user=mysql --skip-test-db >/dev/null
    accounts=$(mktemp)
    {
        echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        echo "CREATE USER 'root'@'%' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        echo "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
        if [[ -n ${MYSQL_DATABASE:-} ]]; then
            echo "CREATE DATABASE $(named "$MYSQL_DATABASE");"
        fi
        if [[ -n ${MYSQL_USER:-} ]]; then
            user="$(quoted "$MYSQL_USER")@'%'"
            echo "CREATE USER $user IDENTIFIED BY $(quoted "${MYSQL_PASSWORD:?must be set with MYSQL_USER}");"
            if [[ -n ${MYSQL_DATABASE:-} ]]; then
                echo "GRANT ALL ON $(named "$MYSQL_DATABASE").* TO $user;"
            fi
        fi
    } >"$accounts"
    chown mysql "$accounts"
    arguments+=("--init-file=$accounts")
fi
exec mariadbd "${arguments[@]}"
