//! Forms of keys and tokens that their issuers made.

use super::{ALNUM, B64, Form, URL, form};

pub(super) const AWS: &[Form] = &[
    form(
        ("access key id", "AKIA"),
        ("A-Z 2-7", "16"),
        "AKIA«u16»",
        "AWS IAM, 'IAM identifiers'",
    ),
    form(
        ("temporary access key id", "ASIA"),
        ("A-Z 2-7", "16"),
        "ASIA«u16»",
        "AWS IAM, 'IAM identifiers'",
    ),
    form(
        ("secret access key", "secret_access_key="),
        (B64, "40"),
        "aws_secret_access_key=«40»",
        "AWS IAM, 'Managing access keys'",
    ),
    form(
        ("session token", "aws_session_token="),
        (B64, "100-2048"),
        "aws_session_token=«200»",
        "AWS STS, 'GetSessionToken'",
    ),
];

pub(super) const AZURE: &[Form] = &[
    form(
        ("storage key", "AccountKey="),
        (B64, "88"),
        "AccountKey=«86»==",
        "Azure Storage, 'Configure connection strings'",
    ),
    form(
        ("bus key", "SharedAccessKey="),
        (B64, "44"),
        "SharedAccessKey=«43»=",
        "Azure Service Bus, 'Shared access signatures'",
    ),
    form(
        ("client secret", "8Q~ after 3"),
        ("A-Z a-z 0-9 - . _ ~", "37-40"),
        "«3»8Q~«34»",
        "Microsoft Purview, 'Azure AD client secret'",
    ),
    form(
        ("shared access signature", "sig="),
        ("A-Z a-z 0-9 + / %", "43-139"),
        "?sv=2024-11-04&sig=«43»%3D",
        "Azure Storage, 'Create a service SAS'",
    ),
];

pub(super) const GCP: &[Form] = &[
    form(
        ("API key", "AIza"),
        (URL, "35"),
        "AIza«35»",
        "Google Cloud, 'Manage API keys'",
    ),
    form(
        ("OAuth client secret", "GOCSPX-"),
        (URL, "28"),
        "GOCSPX-«28»",
        "Google Cloud, 'Token types'",
    ),
    form(
        ("OAuth token", "ya29."),
        (URL, "30-1024"),
        "ya29.«60»",
        "Google Cloud, 'Token types'",
    ),
    form(
        ("service account", "\"private_key\""),
        (B64, "24-16384"),
        "\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n«64»\\n«64»\"",
        "Google Cloud, 'Create and delete service account keys'",
    ),
];

pub(super) const GITHUB: &[Form] = &[
    github("personal", "ghp_", "ghp_«36»"),
    github("OAuth", "gho_", "gho_«36»"),
    github("user to server", "ghu_", "ghu_«36»"),
    github("server to server", "ghs_", "ghs_«36»"),
    github("refresh", "ghr_", "ghr_«36»"),
    form(
        ("fine-grained personal", "github_pat_"),
        ("A-Z a-z 0-9 _", "82"),
        "github_pat_«22»_«59»",
        "GitHub, 'About authentication to GitHub'",
    )
    .with_checksum("CRC-32 in base62, the last 6"),
];

const fn github(kind: &'static str, begins: &'static str, template: &'static str) -> Form {
    form(
        (kind, begins),
        (ALNUM, "36-255"),
        template,
        "GitHub, 'About authentication to GitHub'",
    )
    .with_checksum("CRC-32 in base62, the last 6")
}

pub(super) const JWT: &[Form] = &[form(
    ("JSON Web Token", "eyJ with \"alg\""),
    ("A-Z a-z 0-9 - _ .", "3 or 5 parts"),
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhcHAifQ.«43»",
    "RFC 7515, 7.1",
)];

pub(super) const KUBERNETES: &[Form] = &[form(
    ("service account", "eyJ with \"alg\""),
    ("A-Z a-z 0-9 - _ .", "3 parts"),
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDphcHAifQ.«43»",
    "Kubernetes, 'Managing Service Accounts'",
)];

pub(super) const KEYS: &[Form] = &[
    form(
        ("PEM", "-----BEGIN ...PRIVATE KEY"),
        (B64, "24-16384"),
        "-----BEGIN PRIVATE KEY-----\n«64»\n-----END PRIVATE KEY-----",
        "RFC 7468, RFC 1421, OpenSSH's PROTOCOL.key",
    ),
    form(
        ("PGP", "-----BEGIN PGP PRIVATE KEY BLOCK"),
        (B64, "24-16384"),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n«64»\n-----END PGP PRIVATE KEY BLOCK-----",
        "RFC 9580, 6.2",
    ),
    form(
        ("PEM in base64", "LS0tLS1CRUdJTi"),
        (B64, "64-32768"),
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t«80»",
        "Kubernetes, 'kubeconfig', client-key-data",
    ),
    form(
        ("PKCS#8", "SEQUENCE, version, algorithm"),
        ("bytes", "32-65535"),
        "",
        "RFC 5958",
    ),
    form(
        ("PKCS#1", "SEQUENCE, version, modulus"),
        ("bytes", "64-65535"),
        "",
        "RFC 8017, A.1.2",
    ),
    form(
        ("SEC 1", "SEQUENCE, version, key"),
        ("bytes", "24-66"),
        "",
        "RFC 5915",
    ),
    form(
        ("PuTTY", "Private-Lines: "),
        (B64, "16-"),
        "Private-Lines: 1\n«64»\nPrivate-MAC: ",
        "PuTTY, 'PPK file format'",
    ),
];

pub(super) const SLACK: &[Form] = &[
    form(
        ("token", "xoxb- xoxp- and others"),
        ("A-Z a-z 0-9 - %", "24-255"),
        "xoxb-«d12»-«d13»-«24»",
        "Slack, 'Tokens'",
    ),
    form(
        ("app-level token", "xapp-"),
        ("A-Z a-z 0-9 - %", "24-255"),
        "xapp-1-A«d10»-«d13»-«h64»",
        "Slack, 'Tokens'",
    ),
    form(
        ("webhook", "hooks.slack.com/services/"),
        (ALNUM, "20-64"),
        "https://hooks.slack.com/services/T«8»/B«8»/«24»",
        "Slack, 'Sending messages using incoming webhooks'",
    ),
];
