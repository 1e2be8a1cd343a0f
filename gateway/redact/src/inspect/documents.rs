//! What the runtime's documents and CRIU's own files say about a checkpoint.

use std::io::{Read, Seek};

use gateway_core::{Dialect, Inspection, Mount};
use serde::de::DeserializeOwned;

use super::annotations;
use super::archive_index::ArchiveIndex;
use super::text::TextBudget;
use super::variables::{self, Declared};
use crate::Error;
use crate::criu::{Value, fields};
use crate::oci::{ContainerConfig, Spec, SpecMount};
use crate::part::Part;
use crate::search::EnvValue;

/// The largest JSON document, in bytes.
const MAX_DOCUMENT: u64 = 16 << 20;
/// Bytes of `dump.log` that are read: CRIU writes its version first.
const LOG_HEAD: u64 = 64 << 10;
/// The most mounts, and the most variables.
const MAX_LIST: usize = 10_000;
/// Bytes of one text.
const MAX_TEXT: usize = 4 << 10;
/// Bytes of `inventory.img`'s entry.
const MAX_INVENTORY: u64 = 64 << 10;

/// Reads `config.dump`.
pub(super) fn read_config<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    found: &mut Inspection,
) -> Result<(), Error> {
    let Some(config) = read_json::<ContainerConfig, _>(index, Part::Config)? else {
        return Ok(());
    };
    let container = &mut found.container;
    container.id = line(texts, config.id);
    container.runtime_name = line(texts, config.name);
    container.image = line(texts, config.rootfs_image);
    container.image_name = line(texts, config.rootfs_image_name);
    container.image_ref = line(texts, config.rootfs_image_ref);
    container.oci_runtime = line(texts, config.runtime);
    container.created_at = time(config.created_time);
    container.checkpointed_at = time(config.checkpointed_time);
    Ok(())
}

/// Reads `spec.dump`. Returns the variables that it declares.
pub(super) fn read_spec<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    found: &mut Inspection,
) -> Result<Declared, Error> {
    let Some(spec) = read_json::<Spec, _>(index, Part::Spec)? else {
        return Ok(Declared::default());
    };
    if spec.is_wrapped() {
        found.dialect = found.dialect.or(Some(Dialect::Containerd));
    }
    let Some(spec) = spec.unwrapped() else {
        index.note_unreadable(Part::Spec);
        return Ok(Declared::default());
    };
    texts.learn(&values(&spec));
    let declared = Declared::of(spec.environment());
    let names = spec
        .environment()
        .iter()
        .filter_map(|variable| variables::name(variable.as_bytes()));
    found.env = texts.list(names, MAX_LIST, |texts, name| {
        texts.line(name, variables::MAX_NAME)
    });
    found.mounts = texts.list(spec.mounts.unwrap_or_default(), MAX_LIST, mount);
    let annotations = spec.annotations.unwrap_or_default();
    // containerd's key, then CRI-O's.
    let mut annotation = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| annotations.get(*key));
        line(texts, found.cloned())
    };
    let container = &mut found.container;
    container.name = annotation(&[
        "io.kubernetes.cri.container-name",
        "io.kubernetes.container.name",
    ]);
    container.pod = annotation(&["io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"]);
    container.namespace = annotation(&[
        "io.kubernetes.cri.sandbox-namespace",
        "io.kubernetes.pod.namespace",
    ]);
    container.runtime_class = annotation(&["io.kubernetes.cri-o.RuntimeHandler"]);
    found.annotations = annotations::shown(annotations, texts);
    Ok(declared)
}

/// The environment in `spec.dump`, with its values, for a search: it is never shown.
pub(super) fn environment<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
) -> Result<Vec<EnvValue>, Error> {
    let spec = read_json::<Spec, _>(index, Part::Spec)?.and_then(Spec::unwrapped);
    Ok(values(&spec.unwrap_or_default()))
}

/// The variables of a specification.
fn values(spec: &Spec) -> Vec<EnvValue> {
    let variables = spec.environment().iter().take(MAX_LIST);
    let split = variables.filter_map(|variable| variable.split_once('='));
    split
        .map(|(name, value)| EnvValue {
            name: name.to_owned(),
            value: value.as_bytes().to_vec(),
        })
        .collect()
}

/// Reads `inventory.img` and `dump.log`.
pub(super) fn read_criu<R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    texts: &mut TextBudget,
    found: &mut Inspection,
) -> Result<(), Error> {
    let bytes = index
        .bytes(Part::Inventory, 0, MAX_INVENTORY)?
        .unwrap_or_default();
    // All other images have a second magic number, which the inventory is older than.
    found.criu.image_version = [4, 8]
        .into_iter()
        .find_map(|magic| image_version(bytes.get(magic..)?));
    if found.criu.image_version.is_none() && index.size(Part::Inventory).is_some() {
        index.note_unreadable(Part::Inventory);
    }
    let log = index.bytes(Part::DumpLog, 0, LOG_HEAD)?.unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let mut after = |word: &str| {
        let text = log
            .lines()
            .find_map(|line| line.split_once(") ")?.1.strip_prefix(word));
        text.and_then(|text| texts.line(text.as_bytes(), 256))
    };
    found.criu.version = after("Version: ");
    found.criu.host = after("Running on ");
    Ok(())
}

/// Field 1 of an `inventory_entry`, behind its length, is `img_version`.
fn image_version(entry: &[u8]) -> Option<u64> {
    let (length, entry) = entry.split_first_chunk::<4>()?;
    let entry = entry.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    match fields(entry).next()?? {
        (1, Value::Number(version)) => Some(version),
        _ => None,
    }
}

fn read_json<T: DeserializeOwned, R: Read + Seek>(
    index: &mut ArchiveIndex<R>,
    part: Part,
) -> Result<Option<T>, Error> {
    let Some(text) = index.bytes(part, 0, MAX_DOCUMENT)? else {
        return Ok(None);
    };
    let document = serde_json::from_slice(&text).ok();
    if document.is_none() {
        index.note_unreadable(part);
    }
    Ok(document)
}

fn mount(texts: &mut TextBudget, mount: SpecMount) -> Option<Mount> {
    let destination = texts.masked_line(mount.destination?.as_bytes(), MAX_TEXT)?;
    let source = mount.source.filter(|source| !source.is_empty());
    Some(Mount {
        destination,
        kind: line(texts, mount.kind),
        source: source.and_then(|source| texts.masked_line(source.as_bytes(), MAX_TEXT)),
    })
}

fn line(texts: &mut TextBudget, text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
        .and_then(|text| texts.line(text.as_bytes(), MAX_TEXT))
}

/// Go's zero time stands for no time.
fn time(text: Option<String>) -> Option<jiff::Timestamp> {
    text.filter(|text| !text.starts_with("0001-"))
        .and_then(|text| text.parse().ok())
}
