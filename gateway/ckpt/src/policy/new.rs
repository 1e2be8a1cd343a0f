//! `ckpt policy new`: creates the crate of a policy.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::kind::Kind;
use super::sdk;
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy new`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// The name of the crate, its folder and its component.
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// The kind of policy.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// The SDK's folder in a clone of the project. By default, this program copies its own SDK into the crate.
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

const AFTER: &str = "\
The new policy denies everything, and its first fixture fails, until you change both. A fixture is a request and the answer \
that the policy must give; `cargo test` runs fixtures against the source, `ckpt policy test` against the component.

Examples:
  ckpt policy new no-fridays
  ckpt policy new hide-tokens --kind redactor

Exit status:
  0  success
  1  the crate cannot be written
  2  wrong usage";

/// The folder in the new crate for the SDK of this program.
const VENDOR: &str = "vendor";

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    create(Path::new(""), options)?;
    let Options { name, kind, .. } = options;
    print(format_args!(
        "{name}: a new {kind} that refuses everything

  {name}/src/lib.rs        the policy
  {name}/schema.json       the schema of its settings
  {name}/fixtures/         requests with the expected answers

Next:
  cd {name}
  cargo test               fails until you change the policy
  ckpt policy build        writes {name}.wasm"
    ));
    Ok(Exit::Success)
}

/// Writes the crate into a new folder in `parent`.
fn create(parent: &Path, options: &Options) -> anyhow::Result<()> {
    let root = parent.join(&options.name);
    let dependency = match &options.sdk {
        Some(path) => expect_sdk(path)?,
        None => Path::new(VENDOR).join(sdk::FOLDER),
    };
    match std::fs::create_dir(&root) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("`{}` exists already", root.display())
        }
        made => made.with_context(|| format!("cannot create `{}`", root.display()))?,
    }
    for (path, content) in template(options.kind) {
        let content = content.replace("{{name}}", &options.name);
        // A JSON string is also a TOML string.
        let quoted = serde_json::Value::from(dependency.to_string_lossy()).to_string();
        write(&root.join(path), &content.replace("{{sdk}}", &quoted))?;
    }
    if options.sdk.is_none() {
        for (path, content) in sdk::FILES {
            write(&root.join(VENDOR).join(path), content)?;
        }
    }
    Ok(())
}

/// The crate's files, with their templates.
fn template(kind: Kind) -> [(&'static str, &'static str); 6] {
    let (source, fixture) = match kind {
        Kind::Authorizer => (
            include_str!("template/authorizer.rs"),
            include_str!("template/authorizer.json"),
        ),
        Kind::Redactor => (
            include_str!("template/redactor.rs"),
            include_str!("template/redactor.json"),
        ),
    };
    [
        ("Cargo.toml", include_str!("template/Cargo.toml")),
        ("README.md", include_str!("template/README.md")),
        ("schema.json", include_str!("template/schema.json")),
        ("src/lib.rs", source),
        ("fixtures/first.json", fixture),
        (".gitignore", "/target\n"),
    ]
}

/// The absolute path of the SDK, because the new crate is elsewhere.
fn expect_sdk(path: &Path) -> anyhow::Result<PathBuf> {
    if !path.join("Cargo.toml").is_file() {
        bail!(
            "`{}` is not the SDK: in a clone of the project it is {}",
            path.display(),
            sdk::FOLDER
        );
    }
    path.canonicalize()
        .with_context(|| format!("cannot open `{}`", path.display()))
}

fn write(file: &Path, content: &str) -> anyhow::Result<()> {
    let written = file
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(file, content));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}

/// Parses a name that is valid for a crate, a folder and a file.
fn name(text: &str) -> Result<String, &'static str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let letter_first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    if letter_first && text.len() <= 64 && text.bytes().all(fits) && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err("use up to 64 of a-z, 0-9 and `-`, starting with a letter, such as no-fridays")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kind: Kind, sdk: Option<PathBuf>) -> Options {
        Options {
            name: "no-fridays".to_owned(),
            kind,
            sdk,
        }
    }

    #[test]
    fn copies_the_sdk_into_the_new_crate() {
        let parent = tempfile::tempdir().unwrap();
        create(parent.path(), &options(Kind::Redactor, None)).unwrap();
        let manifest =
            std::fs::read_to_string(parent.path().join("no-fridays/Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let sdk = manifest["dependencies"]["checkpoint-gateway-policy"]["path"]
            .as_str()
            .unwrap();
        let sdk = parent.path().join("no-fridays").join(sdk);
        assert!(sdk.join("src/lib.rs").is_file());
        assert!(sdk.join("../../wit/v0.1.0/policy.wit").is_file());
    }

    #[test]
    fn refuses_an_existing_folder() {
        let parent = tempfile::tempdir().unwrap();
        create(parent.path(), &options(Kind::Authorizer, None)).unwrap();
        let again = create(parent.path(), &options(Kind::Authorizer, None)).unwrap_err();
        assert!(again.to_string().ends_with("exists already"), "{again}");
    }

    #[test]
    fn creates_nothing_if_the_sdk_is_wrong() {
        let parent = tempfile::tempdir().unwrap();
        assert!(
            create(
                parent.path(),
                &options(Kind::Authorizer, Some(parent.path().into()))
            )
            .is_err()
        );
        assert!(!parent.path().join("no-fridays").exists());
    }

    #[test]
    fn accepts_only_kebab_case_names() {
        assert!(name("no-fridays-2").is_ok());
        for wrong in ["", "No", "2nd", "a_b", "a/b", "..", "-a", "a-", "ä"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
