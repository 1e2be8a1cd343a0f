//! Forms of credentials in texts: headers, addresses, fields, files.

use super::{ANY, B64, Form, URL, form};

pub(super) const HEADERS: &[Form] = &[
    form(
        ("Basic", "Basic "),
        (B64, "8-2048"),
        "Authorization: Basic «b12»",
        "RFC 7617",
    ),
    form(
        ("Bearer", "Bearer "),
        ("A-Z a-z 0-9 - . _ ~ + / =", "16-8192"),
        "Authorization: Bearer «32»",
        "RFC 6750, 2.1",
    ),
    form(
        ("Discord bot", "Bot "),
        (URL, "24.6.27"),
        "Authorization: Bot «24».«6».«27»",
        "Discord, 'Authentication'",
    ),
];

pub(super) const URLS: &[Form] = &[
    form(
        ("password", "://USER:"),
        (ANY, "1-4096"),
        "postgres://app:«14»@db.internal/x",
        "RFC 3986, 3.2.1",
    ),
    form(
        ("token", "://"),
        (ANY, "16-1024"),
        "https://«24»@git.example/x.git",
        "RFC 3986, 3.2.1",
    ),
];

pub(super) const CONNECTIONS: &[Form] = &[
    form(
        ("JDBC", "password="),
        (ANY, "3-512"),
        "jdbc:mariadb://db/x?user=app&password=«14»",
        "JDBC 4.3, 9.4",
    ),
    form(
        ("Oracle thin", ":thin:USER/"),
        (ANY, "3-512"),
        "jdbc:oracle:thin:app/«14»@db:1521/x",
        "Oracle, 'JDBC Developer's Guide'",
    ),
    form(
        ("libpq", "password="),
        (ANY, "3-512"),
        "host=db user=app password=«14»",
        "PostgreSQL, 'Connection strings'",
    ),
    form(
        ("ADO, ODBC", "Password= Pwd="),
        (ANY, "3-512"),
        "Server=db;User Id=app;Password=«14»;",
        "ADO.NET, 'Connection string syntax'",
    ),
    form(
        ("Azure", "AccountKey= AccessKey="),
        (ANY, "3-512"),
        "AccountName=b;AccountKey=«18»;",
        "Azure Storage, 'Configure connection strings'",
    ),
    form(
        ("Redis", "password="),
        (ANY, "3-512"),
        "cache:6379,password=«14»,ssl=True",
        "StackExchange.Redis, 'Configuration'",
    ),
    form(
        ("Go, MySQL", "@tcp( @unix("),
        (ANY, "3-512"),
        "app:«14»@tcp(db:3306)/x",
        "go-sql-driver/mysql, README, 'DSN'",
    ),
];

pub(super) const FILES: &[Form] = &[
    form(
        ("docker auth", "\"auth\":"),
        (B64, "8-2048"),
        "{\"auths\":{\"r.example\":{\"auth\":\"«b12»\"}}}",
        "Docker, 'docker login'",
    ),
    form(
        ("npmrc token", "_authToken="),
        (URL, "16-512"),
        "//r.example/:_authToken=«36»",
        "npm, 'npmrc'",
    ),
    form(
        ("npmrc pair", "_auth="),
        (B64, "8-2048"),
        "_auth=«b12»",
        "npm, 'npmrc'",
    ),
    form(
        ("netrc", "machine HOST login USER password "),
        (ANY, "1-512"),
        "machine git.example login app password «14»",
        "GNU inetutils, 'The .netrc file'",
    ),
    form(
        ("pgpass", ":5432: :*:*:"),
        (ANY, "4-512"),
        "db:5432:x:app:«14»",
        "PostgreSQL, 'The password file'",
    ),
    form(
        ("htpasswd bcrypt", ":$2y$"),
        ("A-Z a-z 0-9 . / $", "20-512"),
        "app:$2y$05$«53»",
        "Apache, 'Password formats'",
    ),
    form(
        ("htpasswd apr1", ":$apr1$"),
        ("A-Z a-z 0-9 . / $", "20-512"),
        "app:$apr1$«8»$«22»",
        "Apache, 'Password formats'",
    ),
    form(
        ("htpasswd SHA", ":{SHA}"),
        (B64, "20-512"),
        "app:{SHA}«27»=",
        "Apache, 'Password formats'",
    ),
];

pub(super) const CARDS: &[Form] = &[form(
    ("card number", "of 19 issuers"),
    ("0-9, in groups or not", "13-19"),
    "4735318423221779",
    "ISO/IEC 7812",
)
.with_checksum("Luhn, the last; tested")];

pub(super) const FIELDS: &[Form] = &[
    form(
        ("JSON", "\"...password\":"),
        (ANY, "8-1024"),
        "{\"user\":\"app\",\"password\":\"«14»\"}",
        "RFC 8259",
    ),
    form(
        ("pair of JSON", "\"name\":\"...PASSWORD\",\"value\":"),
        (ANY, "8-1024"),
        "{\"name\":\"DB_PASSWORD\",\"value\":\"«14»\"}",
        "Kubernetes, 'EnvVar'",
    ),
    form(
        ("YAML, properties", "...password: ...password="),
        (ANY, "8-1024"),
        "password: «14»",
        "YAML 1.2",
    ),
    form(
        ("block of YAML", "...password: |"),
        (ANY, "8-"),
        "password: |\n  «14»\n",
        "YAML 1.2, 8.1",
    ),
    form(
        ("element of XML", "<...password>"),
        (ANY, "8-1024"),
        "<password>«14»</password>",
        "XML 1.0, 3.1",
    ),
    form(
        ("key of an interface", "api_key access_token"),
        (ANY, "8-1024"),
        "\"api_key\": \"«24»\"",
        "OpenAPI 3.1, 'apiKey'; RFC 6749, 5.1",
    ),
];

pub(super) const SHADOW: &[Form] = &[form(
    ("password hash", "NAME:$ID$"),
    ("A-Z a-z 0-9 . / $ = , - _ +", "20-383"),
    "app:$6$«8»$«86»:19000:0:99999:7:::",
    "shadow(5), crypt(5)",
)];
