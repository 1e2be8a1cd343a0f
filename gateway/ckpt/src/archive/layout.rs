use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest as sha256};
use serde_json::{Value, json};

use crate::digest;

/// An OCI image layout (image-spec v1.1, `image-layout.md`) that is being written.
pub(super) struct Layout {
    folder: PathBuf,
}

/// What an image consists of, beside its one layer.
pub(super) struct Image {
    /// As OCI names it: Go's `GOARCH`.
    pub(super) architecture: String,
    pub(super) created: Option<String>,
    /// Of the manifest, and of the index.
    pub(super) annotations: BTreeMap<String, String>,
    /// The image's name in the layout.
    pub(super) tag: Option<String>,
}

/// Points at a blob.
pub(super) struct Descriptor {
    media_type: &'static str,
    pub(super) digest: String,
    bytes: u64,
}

impl Layout {
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        let layout = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(layout.blobs())?;
        layout.write("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
        Ok(layout)
    }

    /// Copies an uncompressed tar, which becomes the layer.
    pub(super) fn layer(&self, tar: &mut impl Read) -> io::Result<Descriptor> {
        let path = self.blobs().join("incoming");
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        let (bytes, hex) = digest::copy(tar, &mut file)?;
        file.sync_all()?;
        fs::rename(&path, self.blobs().join(&hex))?;
        Ok(Descriptor {
            media_type: "application/vnd.oci.image.layer.v1.tar",
            digest: hex,
            bytes,
        })
    }

    /// Writes everything that stands above `layer`; tells the manifest's digest.
    pub(super) fn finish(&self, layer: &Descriptor, image: &Image) -> io::Result<String> {
        let config = self.document(
            "application/vnd.oci.image.config.v1+json",
            &config(layer, image),
        )?;
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": config.to_json(),
            "layers": [layer.to_json()],
            "annotations": image.annotations,
        });
        let manifest = self.document(media_type, &manifest)?;
        self.write("index.json", &index(&manifest, image))?;
        File::open(self.blobs())?.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        Ok(manifest.digest)
    }

    fn document(&self, media_type: &'static str, document: &Value) -> io::Result<Descriptor> {
        let text = document.to_string();
        let digest = digest::hex(sha256(&SHA256, text.as_bytes()).as_ref());
        self.write(&format!("blobs/sha256/{digest}"), document)?;
        Ok(Descriptor {
            media_type,
            digest,
            bytes: text.len() as u64,
        })
    }

    fn write(&self, name: &str, document: &Value) -> io::Result<()> {
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .open(self.folder.join(name))?;
        file.write_all(document.to_string().as_bytes())?;
        file.sync_all()
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs/sha256")
    }
}

impl Descriptor {
    fn reference(&self) -> String {
        format!("sha256:{}", self.digest)
    }

    fn to_json(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.reference(), "size": self.bytes })
    }
}

fn config(layer: &Descriptor, image: &Image) -> Value {
    let made: BTreeMap<_, _> = image.created.iter().map(|at| ("created", at)).collect();
    let mut config = json!({
        "architecture": image.architecture,
        "os": "linux",
        "config": {},
        // Not compressed, so the layer and what it unpacks to are one.
        "rootfs": { "type": "layers", "diff_ids": [layer.reference()] },
        "history": [made],
    });
    if let (Some(config), Some(at)) = (config.as_object_mut(), &image.created) {
        config.insert("created".to_owned(), json!(at));
    }
    config
}

/// containerd can also import an index as the image, and then looks for annotations there.
fn index(manifest: &Descriptor, image: &Image) -> Value {
    // The first is the specification's; containerd takes the other for the whole name.
    let keys = [
        "org.opencontainers.image.ref.name",
        "io.containerd.image.name",
    ];
    let names: BTreeMap<_, _> = image
        .tag
        .iter()
        .flat_map(|tag| keys.map(|key| (key, tag)))
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": manifest.media_type,
            "digest": manifest.reference(),
            "size": manifest.bytes,
            "platform": { "architecture": image.architecture, "os": "linux" },
            "annotations": names,
        }],
        "annotations": image.annotations,
    })
}
