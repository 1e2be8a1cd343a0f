use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::layout::{Image, Layout};
use super::progress::Progress;
use super::{Output, annotations, beside, new_place, open, show, sync};
use crate::exit::Exit;
use crate::output::print;

/// Arguments of `archive export`.
#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct Options {
    /// The folder to make: an OCI image layout. Must not be there.
    #[arg(long, value_name = "DIR")]
    oci: PathBuf,
    /// The archive.
    file: PathBuf,
    /// The image's name in the layout.
    #[arg(long, value_name = "NAME", value_parser = tag)]
    tag: Option<String>,
    /// How to say it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER: &str = "\
Makes an image of one layer, which is the archive as it is, with the annotations by which containerd \
(2.1 and later) and CRI-O know a checkpoint: a container of this image is restored from it, not \
started. DIR appears whole or not at all, for its owner alone.

An image travels: export what is redacted, not what is not.

The archive's own runtime must restore it; the other does not understand its spec.dump. What is \
masked in memory stays masked in the restored process.

Exit status: 0 success; 1 where it is no archive, or DIR cannot be made.

  ckpt archive export --oci image --tag registry.example/cart:1 redacted.tar
  skopeo copy oci:image:registry.example/cart:1 docker://registry.example/cart:1
  tar -C image -c . | ctr --namespace k8s.io images import -";

pub(super) fn run(options: &Options) -> Result<Exit> {
    let folder = new_place(&options.oci)?;
    let (mut file, bytes) = open(&options.file)?;
    let found = gateway_redact::inspect(&mut file)
        .with_context(|| format!("cannot export `{}`", options.file.display()))?;
    let metadata = beside::metadata(&options.file)?;
    let taken_at = found
        .container
        .checkpointed_at
        .or_else(|| metadata.as_ref().map(|told| told.created_at));
    let image = Image {
        architecture: found
            .criu
            .architecture
            .clone()
            .unwrap_or_else(|| native().to_owned()),
        created: taken_at.map(|at| at.to_string()),
        annotations: annotations::of(&found, metadata.as_ref())?,
        tag: options.tag.clone(),
    };
    // Not where inspection has left it.
    let (file, _) = open(&options.file)?;
    let mut layer = Progress::new(file, "exporting", bytes, options.output);
    let digests = make(&folder, options, &image, &mut layer)?;
    drop(layer);
    tell(options, &image, &digests);
    Ok(Exit::Success)
}

/// Writes the layout under another name and gives it its own when it is whole; tells the digests of manifest and layer.
fn make(
    folder: &Path,
    options: &Options,
    image: &Image,
    tar: &mut impl std::io::Read,
) -> Result<(String, String)> {
    let write = || format!("cannot write `{}`", options.oci.display());
    let place = tempfile::Builder::new()
        .prefix(".export-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(folder)
        .with_context(write)?;
    let layout = Layout::begin(place.path()).with_context(write)?;
    let layer = layout.layer(tar).with_context(write)?;
    let manifest = layout.finish(&layer, image).with_context(write)?;
    std::fs::rename(place.path(), &options.oci).with_context(write)?;
    // It is no temporary folder any more.
    let _ = place.keep();
    sync(folder)?;
    Ok((manifest, layer.digest))
}

fn tell(options: &Options, image: &Image, (manifest, layer): &(String, String)) {
    let folder = options.oci.display().to_string();
    match options.output {
        Output::Json => print(json!({
            "layout": folder,
            "tag": image.tag,
            "manifest": format!("sha256:{manifest}"),
            "layer": format!("sha256:{layer}"),
            "annotations": image.annotations,
        })),
        Output::Text => {
            print(format_args!("{folder}: sha256:{manifest}"));
            image
                .annotations
                .iter()
                .for_each(|(key, value)| print(format_args!("  {key}={value}")));
            show::row("layer", format_args!("sha256:{layer}"));
        }
    }
}

/// Image names and tags as registries take them, so that no tool reads something else into one.
fn tag(text: &str) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@/+".contains(&byte);
    let starts = text
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    if !starts || text.len() > 255 || !text.bytes().all(fits) {
        bail!("write letters, digits and -._:@/+");
    }
    Ok(text.to_owned())
}

/// This machine's architecture in Go's words.
fn native() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}
