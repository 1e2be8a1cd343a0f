use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Kind, sdk};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `policy new`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(crate) struct Options {
    /// What to call it: the crate's name, its folder's and its component's.
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// What it is for.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// The SDK's folder in a clone of the project. Without it, this program's own SDK is put into the crate.
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

const AFTER: &str = "\
The new policy denies everything, and its first fixture is red: what it allows is its
author's decision. Fixtures are requests with what the policy must say of them;
`cargo test` runs them against the source.";

/// Where the program's own SDK goes, in the new crate.
const VENDOR: &str = "vendor";

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    create(Path::new(""), options)?;
    let Options { name, kind, .. } = options;
    print(format_args!(
        "{name}: a new {kind} that decides nothing yet, and so denies

  {name}/src/lib.rs        what it decides
  {name}/schema.json       what can be set
  {name}/fixtures/         what it must say of which request

Next:
  cd {name}
  cargo test                            red, until you have decided
  ckpt policy build       {name}.wasm"
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
        // As JSON writes a string, so does TOML.
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

/// The full path of the SDK: the new crate lies elsewhere.
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

/// A name that can be a crate's, a folder's and a file's.
fn name(text: &str) -> Result<String, &'static str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let letter_first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    if letter_first && text.len() <= 64 && text.bytes().all(fits) && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err("use up to 64 of a-z, 0-9 and `-`, with a letter first, such as no-fridays")
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
    fn a_new_policy_brings_its_sdk_along() {
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
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        create(parent.path(), &options(Kind::Authorizer, None)).unwrap();
        let again = create(parent.path(), &options(Kind::Authorizer, None)).unwrap_err();
        assert!(again.to_string().ends_with("exists already"), "{again}");
    }

    #[test]
    fn what_is_not_the_sdk_leaves_no_folder_behind() {
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
    fn a_name_is_kebab_case() {
        assert!(name("no-fridays-2").is_ok());
        for wrong in ["", "No", "2nd", "a_b", "a/b", "..", "-a", "a-", "ä"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
