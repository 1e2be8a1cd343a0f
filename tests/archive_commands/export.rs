//! `ckpt archive export`: images for runtimes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{files, place, refused, run, taken, told};
use crate::storage::{mode, sha256sum};

/// An OCI image layout on the disk.
struct Layout<'a>(&'a Path);

impl Layout<'_> {
    /// The path of a blob, which has the digest and size in its descriptor.
    fn blob(&self, descriptor: &Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().unwrap();
        let digest = digest.strip_prefix("sha256:").unwrap();
        let path = self.0.join("blobs/sha256").join(digest);
        assert_eq!(sha256sum(&path), digest);
        assert_eq!(descriptor["size"], std::fs::metadata(&path).unwrap().len());
        path
    }

    fn index(&self) -> Value {
        json_file(&self.0.join("index.json"))
    }

    fn manifest(&self) -> Value {
        json_file(&self.blob(&self.index()["manifests"][0]))
    }
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn export_annotates_the_image_for_both_runtimes() {
    let (world, archive) = taken().await;
    let folder = place(&world, "image");
    let name = "registry.example/shop/cart:1";
    let made = told(&["export", "--oci", &folder, "--tag", name, &archive]);
    let layout = Layout(Path::new(&folder));
    let (index, manifest) = (layout.index(), layout.manifest());
    let entry = &index["manifests"][0];
    assert_eq!(
        entry["annotations"]["org.opencontainers.image.ref.name"],
        name
    );
    assert_eq!(entry["digest"], made["manifest"]);
    for key in [
        "org.criu.checkpoint.container.name",
        "io.kubernetes.cri-o.annotations.checkpoint.name",
    ] {
        assert_eq!(
            (&manifest["annotations"][key], &index["annotations"][key]),
            (&json!("app"), &json!("app"))
        );
    }
    assert_eq!(
        manifest["annotations"]["org.criu.checkpoint.pod.namespace"],
        "shop"
    );
}

#[tokio::test]
async fn export_makes_a_private_image_of_the_archive() {
    let (world, archive) = taken().await;
    let folder = place(&world, "image");
    told(&["export", "--oci", &folder, &archive]);
    let layout = Layout(Path::new(&folder));
    assert_eq!(mode(layout.0), 0o700);
    assert_eq!(
        json_file(&layout.0.join("oci-layout")),
        json!({ "imageLayoutVersion": "1.0.0" })
    );
    let manifest = layout.manifest();
    let config = json_file(&layout.blob(&manifest["config"]));
    assert_eq!(config["created"], config["history"][0]["created"]);
    let created = config["created"].as_str().unwrap();
    assert!(created.ends_with('Z'), "{config}");
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        _ => "arm64",
    };
    assert_eq!(config["architecture"], architecture);
    let layer = &manifest["layers"][0];
    assert_eq!(config["rootfs"]["diff_ids"], json!([layer["digest"]]));
    let archived = sha256sum(Path::new(&archive));
    assert_eq!(sha256sum(&layout.blob(layer)), archived);
    assert_eq!(files(&layout.0.join("blobs/sha256")).len(), 3);
    let again = refused(&["export", "--oci", &folder, &archive]);
    assert!(again.contains("exists already"), "{again}");
}

#[tokio::test]
async fn export_refuses_a_tag_with_blanks() {
    let (_world, archive) = taken().await;
    let output = run(&["export", "--oci", "x", "--tag", "a b", &archive]);
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn export_of_another_file_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("file"), "no archive").unwrap();
    refused(&["export", "--oci", &path("image"), &path("file")]);
    assert_eq!(files(directory.path()), [PathBuf::from(path("file"))]);
}
