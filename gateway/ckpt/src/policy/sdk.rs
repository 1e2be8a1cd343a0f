//! The SDK that is built into this program, for authors who do not have its source.

/// The path of a file in the project, and its content.
type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../../", $path)))),*]
    };
}

/// The path of the SDK in the project.
pub(super) const FOLDER: &str = "policies/sdk";

/// The files of the SDK and of the contract.
pub(super) const FILES: [File; 15] = files![
    "policies/sdk/Cargo.toml",
    "policies/sdk/default-request.json",
    "policies/sdk/src/bindings.rs",
    "policies/sdk/src/bounds.rs",
    "policies/sdk/src/export.rs",
    "policies/sdk/src/fixtures/form.rs",
    "policies/sdk/src/fixtures/mod.rs",
    "policies/sdk/src/glob.rs",
    "policies/sdk/src/lib.rs",
    "policies/sdk/src/log.rs",
    "policies/sdk/src/plan.rs",
    "policies/sdk/src/request.rs",
    "policies/sdk/src/slot.rs",
    "policies/sdk/src/verdict.rs",
    "wit/v0.1.0/policy.wit",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::FILES;

    fn files(root: &Path, below: &str, found: &mut Vec<String>) {
        for entry in root.join(below).read_dir().unwrap() {
            let entry = entry.unwrap();
            let path = format!("{below}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                files(root, &path, found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn contains_every_file_of_the_sdk() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut found = Vec::new();
        files(root, "policies/sdk", &mut found);
        files(root, "wit/v0.1.0", &mut found);
        found.sort();
        assert_eq!(FILES.map(|(path, _)| path.to_owned()).to_vec(), found);
    }
}
