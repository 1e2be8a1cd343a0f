use std::collections::BTreeMap;
use std::io::{Read, Seek};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_core::{Dialect, Inspection, Mount};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::contents::Contents;
use super::part::Part;
use super::text::Texts;
use super::variables;
use crate::Error;
use crate::redact::{Value, fields};

/// The largest JSON document, in bytes.
const MAX_DOCUMENT: u64 = 16 << 20;
/// Bytes of `dump.log` that are looked at: CRIU tells its version at once.
const LOG_HEAD: u64 = 64 << 10;
/// Mounts and variables that are told.
const MAX_LIST: usize = 10_000;
/// Bytes of one text.
const MAX_TEXT: usize = 4 << 10;
/// Bytes of `inventory.img`'s entry.
const MAX_INVENTORY: usize = 64 << 10;

/// `config.dump`, in both runtimes' form (checkpointctl, `lib/metadata.go`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    id: Option<String>,
    name: Option<String>,
    rootfs_image: Option<String>,
    rootfs_image_name: Option<String>,
    rootfs_image_ref: Option<String>,
    runtime: Option<String>,
    created_time: Option<String>,
    checkpointed_time: Option<String>,
}

/// `spec.dump`: an OCI runtime specification, or containerd's wrapping of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    /// The specification itself in base64, where it is wrapped.
    value: Option<String>,
    process: Option<SpecProcess>,
    mounts: Option<Vec<SpecMount>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpecProcess {
    env: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpecMount {
    destination: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    source: Option<String>,
}

/// What `config.dump` tells.
pub(super) fn config<R: Read + Seek>(
    contents: &mut Contents<R>,
    texts: &mut Texts,
    found: &mut Inspection,
) -> Result<(), Error> {
    let Some(config) = read::<Config, _>(contents, Part::Config)? else {
        return Ok(());
    };
    let to = &mut found.container;
    to.id = line(texts, config.id);
    to.runtime_name = line(texts, config.name);
    to.image = line(texts, config.rootfs_image);
    to.image_name = line(texts, config.rootfs_image_name);
    to.image_ref = line(texts, config.rootfs_image_ref);
    to.oci_runtime = line(texts, config.runtime);
    to.created_at = time(config.created_time);
    to.checkpointed_at = time(config.checkpointed_time);
    Ok(())
}

/// What `spec.dump` tells.
pub(super) fn spec<R: Read + Seek>(
    contents: &mut Contents<R>,
    texts: &mut Texts,
    found: &mut Inspection,
) -> Result<(), Error> {
    let Some(mut spec) = read::<Spec, _>(contents, Part::Spec)? else {
        return Ok(());
    };
    if let Some(value) = spec.value.take() {
        found.dialect = found.dialect.or(Some(Dialect::Containerd));
        let Some(inner) = STANDARD
            .decode(value)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
        else {
            contents.note_unreadable(Part::Spec);
            return Ok(());
        };
        spec = inner;
    }
    let env = spec.process.unwrap_or_default().env.unwrap_or_default();
    let names = env
        .iter()
        .filter_map(|variable| variables::name(variable.as_bytes()));
    found.env = texts.list(names, MAX_LIST, |texts, name| {
        texts.line(name, variables::MAX_NAME)
    });
    found.mounts = texts.list(spec.mounts.unwrap_or_default(), MAX_LIST, mount);
    let mut annotations = spec.annotations.unwrap_or_default();
    // containerd's key, then CRI-O's.
    let mut told =
        |keys: [&str; 2]| line(texts, keys.iter().find_map(|key| annotations.remove(*key)));
    let to = &mut found.container;
    to.name = told([
        "io.kubernetes.cri.container-name",
        "io.kubernetes.container.name",
    ]);
    to.pod = told(["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]);
    to.namespace = told([
        "io.kubernetes.cri.sandbox-namespace",
        "io.kubernetes.pod.namespace",
    ]);
    Ok(())
}

/// What `inventory.img` and `dump.log` tell.
pub(super) fn criu<R: Read + Seek>(
    contents: &mut Contents<R>,
    texts: &mut Texts,
    found: &mut Inspection,
) -> Result<(), Error> {
    // The inventory is older than the second magic number of all others; CRIU pads its place with nothing.
    let bytes = contents
        .bytes(Part::Inventory, 0, MAX_INVENTORY as u64)?
        .unwrap_or_default();
    found.criu.image_version = [4, 8]
        .into_iter()
        .find_map(|magic| image_version(bytes.get(magic..)?));
    if found.criu.image_version.is_none() && contents.size(Part::Inventory).is_some() {
        contents.note_unreadable(Part::Inventory);
    }
    let log = contents
        .bytes(Part::DumpLog, 0, LOG_HEAD)?
        .unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let mut after = |word: &str| {
        let told = log
            .lines()
            .find_map(|line| line.split_once(") ")?.1.strip_prefix(word));
        told.and_then(|told| texts.line(told.as_bytes(), 256))
    };
    found.criu.version = after("Version: ");
    found.criu.host = after("Running on ");
    Ok(())
}

/// An `inventory_entry` behind its length: 1 is `img_version`.
fn image_version(entry: &[u8]) -> Option<u64> {
    let (length, entry) = entry.split_first_chunk::<4>()?;
    let entry = entry.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    match fields(entry).next()?? {
        (1, Value::Number(version)) => Some(version),
        _ => None,
    }
}

fn read<T: DeserializeOwned, R: Read + Seek>(
    contents: &mut Contents<R>,
    part: Part,
) -> Result<Option<T>, Error> {
    let Some(text) = contents.bytes(part, 0, MAX_DOCUMENT)? else {
        return Ok(None);
    };
    let document = serde_json::from_slice(&text).ok();
    if document.is_none() {
        contents.note_unreadable(part);
    }
    Ok(document)
}

fn mount(texts: &mut Texts, mount: SpecMount) -> Option<Mount> {
    let destination = texts.line(mount.destination?.as_bytes(), MAX_TEXT)?;
    Some(Mount {
        destination,
        kind: line(texts, mount.kind),
        source: line(texts, mount.source),
    })
}

fn line(texts: &mut Texts, text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
        .and_then(|text| texts.line(text.as_bytes(), MAX_TEXT))
}

/// Go's zero time means that there is none.
fn time(text: Option<String>) -> Option<jiff::Timestamp> {
    text.filter(|text| !text.starts_with("0001-"))
        .and_then(|text| text.parse().ok())
}
