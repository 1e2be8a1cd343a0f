//! Writes OCI image layouts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gateway_files::NewFile;
use serde_json::{Value, json};

use crate::digest;

/// An OCI image layout (image-spec v1.1, `image-layout.md`) while it is written.
pub(super) struct Layout {
    folder: PathBuf,
}

/// An image's description, apart from its single layer.
pub(super) struct Image {
    /// The architecture as OCI names it (Go's `GOARCH`).
    pub(super) architecture: String,
    pub(super) created: Option<String>,
    /// Annotations of the manifest and of the index.
    pub(super) annotations: BTreeMap<String, String>,
    /// The image's name in the layout.
    pub(super) tag: Option<String>,
}

/// A reference to a blob.
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

    /// Copies an uncompressed tar as the layer.
    pub(super) fn layer(&self, tar: &mut impl Read) -> io::Result<Descriptor> {
        let path = self.blobs().join("incoming");
        let mut file = NewFile::create(&path)?;
        let (bytes, hex) = digest::copy(tar, &mut file)?;
        file.publish()?;
        gateway_files::rename_new(&path, &self.blobs().join(&hex))?;
        Ok(Descriptor {
            media_type: "application/vnd.oci.image.layer.v1.tar",
            digest: hex,
            bytes,
        })
    }

    /// Writes configuration, manifest and index for `layer`; returns the manifest's digest.
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
        Ok(manifest.digest)
    }

    fn document(&self, media_type: &'static str, document: &Value) -> io::Result<Descriptor> {
        let text = document.to_string();
        let digest = digest::of_bytes(text.as_bytes());
        self.write(&format!("blobs/sha256/{digest}"), document)?;
        Ok(Descriptor {
            media_type,
            digest,
            bytes: text.len() as u64,
        })
    }

    fn write(&self, name: &str, document: &Value) -> io::Result<()> {
        let path = self.folder.join(name);
        Ok(gateway_files::write_new(
            &path,
            document.to_string().as_bytes(),
        )?)
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
        // The layer is not compressed, so its digest is also that of its content.
        "rootfs": { "type": "layers", "diff_ids": [layer.reference()] },
        "history": [made],
    });
    if let (Some(config), Some(at)) = (config.as_object_mut(), &image.created) {
        config.insert("created".to_owned(), json!(at));
    }
    config
}

/// The index repeats the annotations: containerd can import the index as the image, and looks for them there.
fn index(manifest: &Descriptor, image: &Image) -> Value {
    // The specification's key, and containerd's key for the full name.
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
