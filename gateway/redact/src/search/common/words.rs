//! Words that stand in programs and settings everywhere: drivers, methods, algorithms, modes, units.

/// Words that only count alone: parts of passwords that people choose, too.
const ALONE: &str = "password passwd passphrase secret secrets token tokens admin administrator root user username guest test \
    tester testing example changeme change_me default demo dummy sample placeholder none null nil undefined empty unset \
    production staging development prod stage dev local localhost global system public private internal external anonymous service \
    client server master replica primary secondary standby leader follower worker controller manager operator application \
    website frontend backend gateway proxy database storage session sessions cookie cookies account accounts customer \
    credential credentials login logout signin signup register authorization authentication authorized authenticate \
    x-api-key x-auth-token x-access-token x-csrf-token x-xsrf-token xsrf-token csrf-token csrftoken connect.sid jsessionid \
    phpsessid asp.net_sessionid laravel_session sessionid session_id sid access_token refresh_token id_token api_key apikey \
    client_secret_basic client_secret_post client_secret_jwt private_key_jwt authorization_code client_credentials token_exchange \
    password-grant passwordless";

/// Words that also count in pairs and with short numbers: `aes-256-gcm`.
const WORDS: &str = "true false yes no on off enable enabled disable disabled auto automatic manual always never optional \
    required require prefer allow deny strict lax relaxed verify full ca sameorigin same origin inherit \
    postgres postgresql pgsql pgbouncer mysql mysqli mariadb percona sqlite sqlite3 mssql sqlserver sqlsrv oracle db2 redis \
    valkey keydb memcached memcache mongodb mongo couchdb couchbase cassandra scylla dynamodb elasticsearch opensearch solr \
    clickhouse cockroachdb cockroach timescaledb influxdb neo4j etcd consul vault zookeeper kafka rabbitmq amqp amqps nats mqtt \
    activemq sqs sns pubsub kinesis beanstalkd sidekiq celery s3 gcs azblob minio ceph nfs smtp smtps imap pop3 sendmail mailgun \
    ses sendgrid ftp sftp ssh http https http2 grpc ws wss tcp udp unix tls ssl mtls starttls dtls jdbc odbc pdo native async \
    driver file files array memory inmemory cookie database cache db fs disk local filesystem sync queue stdout stderr stdin \
    syslog console json yaml xml text plain html csv protobuf msgpack binary raw random uuid ulid nanoid snowflake sequence \
    get post put patch delete head options trace connect basic bearer digest negotiate ntlm kerberos gssapi sspi spnego ldap \
    ldaps saml saml2 oauth oauth1 oauth2 oidc openid jwt jws jwe jwks pkce mfa totp hotp otp webauthn fido2 pam radius cert \
    certificate certificates peer ident trust reject scram xoauth2 cram login external \
    profile email phone address groups roles offline access read write client code implicit \
    refresh device hybrid grant form query header headers body cookies url uri \
    md4 md5 sha sha1 sha2 sha3 sha224 sha256 sha384 sha512 blake2 blake2b blake2s blake3 ripemd160 crc32 murmur xxhash siphash \
    hmac hkdf pbkdf2 bcrypt scrypt argon2 argon2i argon2id argon2d yescrypt phpass crypt plaintext rsa dsa ecdsa ecdh eddsa \
    ed25519 ed448 x25519 x448 secp256k1 secp256r1 prime256v1 p256 p384 p521 curve25519 dh dhe ecdhe elgamal kyber \
    aes aes128 aes192 aes256 aesgcm des 3des tripledes blowfish twofish camellia cast5 rc4 chacha20 poly1305 chacha20poly1305 \
    salsa20 xchacha20 fernet gcm ccm cbc ctr ecb ofb cfb xts siv oaep pss pkcs1 pkcs5 pkcs7 pkcs8 pkcs12 pem der jks p12 pfx asn1 \
    hs256 hs384 hs512 rs256 rs384 rs512 es256 es384 es512 es256k ps256 ps384 ps512 a128gcm a256gcm dir none \
    base16 base32 base58 base62 base64 base64url hex utf utf8 utf16 ascii latin1 iso unicode gzip zstd deflate brotli lz4 snappy \
    debug info notice warn warning error critical fatal trace verbose quiet silent panic emergency alert log level \
    production prod staging stage development dev qa uat master primary secondary standby leader follower worker \
    server service controller manager operator frontend backend gateway proxy storage account preview sandbox live canary \
    sentinel cluster standalone single replica replicaset readonly readwrite snapshot serializable committed uncommitted repeatable \
    round robin least hash sticky session sessions ip_hash hourly daily weekly monthly yearly today now \
    simple standard default legacy modern custom builtin embedded shared dedicated static dynamic \
    eu us ap sa ca me af east west north south central northeast southeast northwest southwest gov en de fr es it pt nl pl ja ko zh";

const UNITS: &str = "ns us µs ms s sec secs second seconds m min mins minute minutes h hr hrs hour hours d day days w week weeks \
    mo month months y year years b k kb kib ki mb mib mi g gb gib gi t tb tib ti p pb pib pi % px em rem x mhz ghz bit bits byte \
    bytes bps kbps mbps gbps";

/// Last parts of host names: the usual top-level domains, and those of clusters and tests.
const LAST_LABELS: &str = "com net org io dev app cloud ai co edu gov mil int info biz name pro me tv cc us uk de fr es it nl be \
    at ch pl cz se no fi dk ie pt gr ru ua tr il in cn jp kr tw hk sg au nz br mx ar cl za eu asia online site tech store shop xyz \
    page run sh so to ly gg fm im is local localhost localdomain internal intranet private corp lan home svc cluster consul arpa \
    example test invalid onion";

/// Whether `text` is a word of the list, or a few of them joined.
pub(super) fn is_word(text: &str) -> bool {
    let text = text.to_lowercase();
    if has(ALONE, &text) || has(WORDS, &text) {
        return true;
    }
    let parts: Vec<&str> = text.split(['-', '_', '.', '/', ':', '+']).collect();
    let number = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let some_word = parts.iter().any(|part| has(WORDS, part));
    some_word && parts.len() <= 6 && parts.iter().all(|part| has(WORDS, part) || number(part))
}

/// Whether `text` is a unit of time, size or rate.
pub(super) fn is_unit(text: &str) -> bool {
    has(UNITS, &text.to_lowercase())
}

/// The rank of a unit of time in durations of several, such as `1d2h`: the longer the unit, the higher. `None` for other units.
pub(super) fn length_of_time(unit: &str) -> Option<usize> {
    let units = ["ns", "us", "ms", "s", "m", "h", "d", "w", "y"];
    let unit = unit.to_lowercase().replace('µ', "u");
    units.iter().position(|known| *known == unit)
}

/// Whether a host name may end with `label`.
pub(super) fn is_last_label(label: &str) -> bool {
    has(LAST_LABELS, label)
}

fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}
