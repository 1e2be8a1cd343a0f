//! The SDK that belongs to this program, for authors who have the program and not its source.

/// A file, by its path below the folder that stands for the project's root, and its content.
type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../../", $path)))),*]
    };
}

/// Where the SDK itself is, below that folder.
pub(super) const FOLDER: &str = "policies/sdk";

/// The SDK, and the contract where the SDK looks for it.
pub(super) const FILES: [File; 14] = files![
    "policies/sdk/Cargo.toml",
    "policies/sdk/default-request.json",
    "policies/sdk/src/bindings.rs",
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
                files(root, &path, found)
            } else {
                found.push(path)
            }
        }
    }

    #[test]
    fn no_file_of_the_sdk_is_left_out() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut found = Vec::new();
        files(root, "policies/sdk", &mut found);
        files(root, "wit/v0.1.0", &mut found);
        found.sort();
        assert_eq!(FILES.map(|(path, _)| path.to_owned()).to_vec(), found);
    }
}
