//! Tests of reading a configuration.

use std::path::Path;

use super::*;

const EXAMPLE: &str = include_str!("../../../../examples/config.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("config.toml"), &Environment::default())
        .map_err(|error| error.to_string())
}

fn with(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let environment = Environment::new("/work".into(), variable);
    Config::parse(EXAMPLE, Path::new("config.toml"), &environment)
        .map_err(|error| error.to_string())
}

/// The keys that a table takes, as its own refusal of an unknown one lists them.
fn keys(table: &str) -> Vec<String> {
    let error = toml::from_str::<Config>(&format!("{table}\n__none = 0\n")).unwrap_err();
    let (_, expected) = error
        .message()
        .split_once("expected ")
        .expect("a list of keys");
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn example_has_every_key_with_a_comment() {
    parse(EXAMPLE).unwrap();
    let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let sections = keys("");
    assert!(sections.len() >= 9, "{sections:?}");
    for section in sections {
        let shown = example
            .get(&section)
            .unwrap_or_else(|| panic!("no section {section}"));
        let (header, table) = match shown {
            toml::Value::Array(tables) => (format!("[[{section}]]"), tables[0].as_table().unwrap()),
            other => (format!("[{section}]"), other.as_table().unwrap()),
        };
        for key in keys(&header) {
            assert!(
                table.contains_key(&key),
                "the example does not show {header} {key}"
            );
        }
    }
    let is_key = |line: &str| {
        let name = line.split_once(" = ").map(|(name, _)| name);
        name.is_some_and(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    };
    let lines: Vec<_> = EXAMPLE.lines().collect();
    for pair in lines.windows(2).filter(|pair| is_key(pair[1])) {
        assert!(pair[0].starts_with('#'), "no comment above `{}`", pair[1]);
    }
}

const TLS: &str = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";

#[test]
fn example_of_a_node_seals_originals() {
    let environment = Environment::new("/work".into(), |_| None);
    let file = Path::new("/etc/checkpoint-gateway/config.toml");
    let text = include_str!("../../../../examples/node.toml");
    let config = Config::parse(text, file, &environment).unwrap();
    assert_eq!(config.originals.keep, Keep::Sealed);
    assert_eq!(
        config.tls.key,
        Path::new("/etc/checkpoint-gateway/tls/tls.key")
    );
}

#[test]
fn rejects_an_unknown_key_with_its_place_and_a_suggestion() {
    let error = parse(&format!("{TLS}\n[listen]\nadress = \"0.0.0.0:1\"\n")).unwrap_err();
    assert_eq!(
        error,
        "config.toml:6:1: unknown key `adress`: did you mean `address`?"
    );
    let error = parse("[tsl]\n").unwrap_err();
    assert_eq!(
        error,
        "config.toml:1:2: unknown key `tsl`: did you mean `tls`?"
    );
    let error = parse("[listen]\nwhatever = 1\n").unwrap_err();
    assert_eq!(
        error,
        "config.toml:2:1: unknown key `whatever`: the keys here are address, admin-address"
    );
}

#[test]
fn rejects_a_wrong_value_with_its_place() {
    let error = parse("[listen]\naddress = \"nowhere\"\n").unwrap_err();
    assert!(error.starts_with("config.toml:2:11: "), "{error}");
    let error = parse("[limits]\nconnections = 0\n").unwrap_err();
    assert_eq!(error, "config.toml:2:15: must be at least 1");
    let error = parse("[telemetry]\nlog-level = \"infos\"\n").unwrap_err();
    assert_eq!(
        error,
        "config.toml:2:13: unknown value `infos`: did you mean `info`?"
    );
}

#[test]
fn counts_columns_in_characters() {
    let error = parse("limits = { \"ä\" = 1 }\n").unwrap_err();
    assert!(
        error.starts_with("config.toml:1:12: unknown key `ä`"),
        "{error}"
    );
    let error = parse("limits = { requests = 1, connections = 0 }\n").unwrap_err();
    assert!(error.starts_with("config.toml:1:40: "), "{error}");
}

#[test]
fn rejects_a_missing_key() {
    let error = parse("[tls]\ncertificate = \"a\"\n").unwrap_err();
    assert_eq!(error, "config.toml:1:1: the key `key` is missing");
}

#[test]
fn rejects_a_gateway_without_identity_sources() {
    let error = parse(TLS).unwrap_err();
    assert_eq!(
        error,
        "config.toml:1:1: no caller can authenticate: add `[[issuers]]` or set `tls.client-ca`"
    );
}

#[test]
fn rejects_an_exported_audit_log_without_an_endpoint() {
    let sent = EXAMPLE.replace("otlp-audit-log = false", "otlp-audit-log = true");
    let error = parse(&sent).unwrap_err();
    assert!(error.contains("needs `telemetry.otlp-endpoint`"), "{error}");
    let endpoint = "otlp-endpoint = \"http://[::1]:4317\"";
    assert!(parse(&sent.replace("otlp-endpoint = \"\"", endpoint)).is_ok());
}

#[test]
fn an_issuer_needs_an_audience_and_its_own_name() {
    let issuer = "[[issuers]]\nissuer = \"https://i\"\naudiences = [\"g\"]\njwks-file = \"j\"\n";
    assert!(parse(&format!("{TLS}{issuer}")).is_ok());
    let error = parse(&format!("{TLS}{issuer}{issuer}")).unwrap_err();
    assert_eq!(
        error,
        "config.toml:9:10: two `[[issuers]]` have the issuer `https://i`"
    );
    let error = parse(&format!("{TLS}{}", issuer.replace("\"g\"", ""))).unwrap_err();
    assert_eq!(error, "config.toml:6:13: name at least one");
}

#[test]
fn a_policy_needs_its_own_name() {
    let base = format!("{TLS}client-ca = \"c\"\n");
    let policy = |name: &str| format!("[[policies]]\nname = \"{name}\"\nfile = \"p.wasm\"\n");
    assert!(parse(&format!("{base}{}{}", policy("a"), policy("b"))).is_ok());
    let error = parse(&format!("{base}{}{}", policy("a"), policy("a"))).unwrap_err();
    assert_eq!(
        error,
        "config.toml:9:8: two `[[policies]]` have the name `a`"
    );
    let error = parse(&format!("{base}{}", policy(""))).unwrap_err();
    assert_eq!(error, "config.toml:6:8: a policy cannot be called ``");
}

#[test]
fn environment_variables_override_the_file() {
    let config = with(&[
        ("CHECKPOINT_GATEWAY_LISTEN_ADDRESS", "127.0.0.1:7"),
        ("CHECKPOINT_GATEWAY_LOG_FORMAT", "json"),
    ]);
    let config = config.unwrap();
    assert_eq!(config.listen.address.port(), 7);
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
    assert!(
        with(&[("CHECKPOINT_GATEWAY_LOG_FORMAT", "")]).is_ok(),
        "an empty value counts as unset"
    );
}

#[test]
fn names_the_wrong_variable_and_no_other() {
    let error = with(&[
        ("CHECKPOINT_GATEWAY_LISTEN_ADDRESS", "127.0.0.1:7"),
        ("CHECKPOINT_GATEWAY_LOG_FORMAT", "yaml"),
    ]);
    assert_eq!(
        error.unwrap_err(),
        "environment variable CHECKPOINT_GATEWAY_LOG_FORMAT: unknown value `yaml`: the values here are text, json"
    );
}

#[test]
fn every_variable_overrides_a_key_that_exists() {
    for (name, key) in VARIABLES {
        let (section, key) = key.split_once('.').unwrap();
        let keys = keys(&format!("[{section}]"));
        assert!(keys.iter().any(|known| known == key), "{name}");
    }
}

/// A folder with a configuration in `etc`, and the environment of a process that runs in `work`.
struct Folders(tempfile::TempDir);

impl Folders {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::create_dir(root.path().join("work")).unwrap();
        Self(root)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn load(&self, text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let environment = Environment::new(self.path("work"), variable);
        std::fs::write(self.path("etc/config.toml"), text).unwrap();
        Config::load(&self.path("etc/config.toml"), &environment).map_err(|error| error.to_string())
    }
}

/// Every key that takes a path.
const PATHS: &str = "[tls]\ncertificate = \"t.crt\"\nkey = \"t.key\"\nclient-ca = \"ca.crt\"\n\
    [[issuers]]\nissuer = \"i\"\naudiences = [\"a\"]\njwks-file = \"keys/jwks.json\"\n\
    [[policies]]\nname = \"p\"\nfile = \"p.wasm\"\n\
    [[shadow.policies]]\nname = \"s\"\nfile = \"../s.wasm\"\n\
    [policy-engine]\ncache-directory = \"cache\"\n\
    [runtime]\nsocket = \"r.sock\"\n\
    [checkpoints]\ndirectory = \"checkpoints\"\n\
    [audit]\nfile = \"audit.log\"\nkey-file = \"a.key\"\nprevious-key-file = \"\"\n";

#[test]
fn paths_in_the_file_count_from_its_folder() {
    let folders = Folders::new();
    let config = folders.load(PATHS, &[]).unwrap();
    let found = [
        (config.tls.certificate, "etc/t.crt"),
        (config.tls.key, "etc/t.key"),
        (config.tls.client_ca.unwrap(), "etc/ca.crt"),
        (config.issuers[0].jwks_file.clone(), "etc/keys/jwks.json"),
        (config.policies[0].file.clone(), "etc/p.wasm"),
        (config.shadow.policies[0].file.clone(), "etc/../s.wasm"),
        (config.policy_engine.cache_directory, "etc/cache"),
        (config.runtime.socket.unwrap(), "etc/r.sock"),
        (config.checkpoints.directory, "etc/checkpoints"),
        (config.audit.file, "etc/audit.log"),
        (config.audit.key_file, "etc/a.key"),
    ];
    for (path, expected) in found {
        assert_eq!(path, folders.path(expected));
    }
    assert_eq!(config.audit.previous_key_file, Path::new(""));
}

#[test]
fn rejects_a_checkpoint_directory_that_goes_up() {
    let folders = Folders::new();
    let text = PATHS.replace("\"checkpoints\"", "\"../checkpoints\"");
    let error = folders.load(&text, &[]).unwrap_err();
    assert!(
        error.contains("config.toml:20:13: must be a path without `..`"),
        "{error}"
    );
}

#[test]
fn paths_in_variables_count_from_the_working_folder() {
    let folders = Folders::new();
    let variables = [
        ("CHECKPOINT_GATEWAY_CHECKPOINT_DIRECTORY", "other"),
        ("CHECKPOINT_GATEWAY_RUNTIME_SOCKET", "o.sock"),
    ];
    let config = folders.load(PATHS, &variables).unwrap();
    assert_eq!(config.checkpoints.directory, folders.path("work/other"));
    assert_eq!(config.runtime.socket, Some(folders.path("work/o.sock")));
}

#[test]
fn rejects_a_path_that_exists_only_under_the_working_folder() {
    let folders = Folders::new();
    std::fs::write(folders.path("work/p.wasm"), "").unwrap();
    let error = folders.load(PATHS, &[]).unwrap_err();
    let (here, elsewhere) = (folders.path("etc/p.wasm"), folders.path("work/p.wasm"));
    for part in [
        "config.toml:11:8: ",
        &format!("`{}` does not exist", here.display()),
        &format!("`{}` does", elsewhere.display()),
        "write an absolute path",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    std::fs::write(here, "").unwrap();
    assert!(folders.load(PATHS, &[]).is_ok(), "both exist");
}
