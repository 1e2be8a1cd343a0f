//! `archive export`: makes an OCI image from an archive.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use gateway_core::{Finding, FindingCode};
use serde_json::json;

use super::file::{expect_free, open};
use super::layout::{Image, Layout};
use super::row::row;
use super::{annotations, findings, sidecar};
use crate::exit::Exit;
use crate::output::{Format, print, print_exact};
use crate::progress::ProgressReader;

/// Arguments of `archive export`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The folder to create, an OCI image layout. It must not exist.
    #[arg(long, value_name = "DIR")]
    oci: PathBuf,
    /// The archive.
    file: PathBuf,
    /// The image's name in the layout.
    #[arg(long, value_name = "NAME", value_parser = tag)]
    tag: Option<String>,
    /// Format of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

const AFTER: &str = "\
The image has the archive as its single layer, and the annotations by which containerd (2.1 and later) and CRI-O recognize \
a checkpoint: they restore a container of this image instead of starting it. DIR is private and appears whole or not at all.

Export redacted archives only, since images are copied to registries. The runtime that wrote the archive must restore it: \
containerd and CRI-O do not understand each other's archives. Findings about the archive are listed; where its documents name \
different containers, the image names no pod. Memory that is masked stays masked in the restored process.

Examples:
  ckpt archive export --oci image --tag registry.example/cart:1 redacted.tar
  skopeo copy oci:image:registry.example/cart:1 docker://registry.example/cart:1
  tar -C image -c . | ctr --namespace k8s.io images import -

Exit status:
  0  success
  1  the file is not an archive, or DIR cannot be written
  2  wrong usage";

pub(super) fn run(options: &Options) -> Result<Exit> {
    expect_free(&options.oci)?;
    let (mut file, bytes) = open(&options.file)?;
    let metadata = sidecar::metadata(&options.file)?;
    let mut found = gateway_redact::inspect(&mut file, metadata.as_ref().map(sidecar::owner))
        .with_context(|| format!("cannot export `{}`", options.file.display()))?;
    let contested = found
        .findings
        .iter()
        .any(|finding| finding.code == FindingCode::OwnerConflict);
    let named = metadata.as_ref().filter(|_| !contested);
    if contested {
        found.container.pod = None;
        found.container.namespace = None;
    }
    let taken_at = found
        .container
        .checkpointed_at
        .or_else(|| metadata.as_ref().map(|metadata| metadata.created_at));
    let image = Image {
        architecture: found
            .criu
            .architecture
            .clone()
            .unwrap_or_else(|| native().to_owned()),
        created: taken_at.map(|at| at.to_string()),
        annotations: annotations::of(&found, named)?,
        tag: options.tag.clone(),
    };
    // Opened anew, to read it from the start.
    let (file, _) = open(&options.file)?;
    let mut layer = ProgressReader::new(file, "exporting", bytes, options.output);
    let digests = write(options, &image, &mut layer)?;
    drop(layer);
    show(options, &image, &found.findings, &digests);
    Ok(Exit::Success)
}

/// Writes the layout under a temporary name and renames it once it is whole. Returns the digests of manifest and layer.
fn write(
    options: &Options,
    image: &Image,
    tar: &mut impl std::io::Read,
) -> Result<(String, String)> {
    let write = || format!("cannot write `{}`", options.oci.display());
    let folder = tempfile::Builder::new()
        .prefix(".export-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(gateway_files::parent(&options.oci))
        .with_context(write)?;
    let layout = Layout::begin(folder.path()).with_context(write)?;
    let layer = layout.layer(tar).with_context(write)?;
    let manifest = layout.finish(&layer, image).with_context(write)?;
    gateway_files::rename_new(folder.path(), &options.oci)?;
    // It has another name now and must stay.
    let _ = folder.keep();
    Ok((manifest, layer.digest))
}

fn show(
    options: &Options,
    image: &Image,
    findings: &[Finding],
    (manifest, layer): &(String, String),
) {
    let folder = options.oci.display().to_string();
    match options.output {
        Format::Json => print_exact(json!({
            "layout": folder,
            "tag": image.tag,
            "manifest": format!("sha256:{manifest}"),
            "layer": format!("sha256:{layer}"),
            "annotations": image.annotations,
            "findings": findings,
        })),
        Format::Text => {
            print(format_args!("{folder}: sha256:{manifest}"));
            image
                .annotations
                .iter()
                .for_each(|(key, value)| print(format_args!("  {key}={value}")));
            row("layer", format_args!("sha256:{layer}"));
            findings::print_all(findings);
        }
    }
}

/// Checks a name and tag by the characters that registries allow, so that all tools read them alike.
fn tag(text: &str) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@/+".contains(&byte);
    let starts = text
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    if !starts || text.len() > 255 || !text.bytes().all(fits) {
        bail!("use letters, digits and -._:@/+, with a letter or digit first");
    }
    Ok(text.to_owned())
}

/// This machine's architecture as Go names it.
fn native() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}
