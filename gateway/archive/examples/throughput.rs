//! Measures the store against a plain file.
//!
//! `cargo run --release -p gateway-archive --example throughput -- DIRECTORY [MiB] [ROUNDS]`: a writer hands over the same bytes in pieces of 32 KiB, as Go's `io.Copy` does: into a plain
//! file without a sync, through a FIFO into the store, and through the store's private file. Prints each as a ratio to the
//! plain file of the same round, and the digest alone too, which bounds them all.

#[path = "shared/info.rs"]
mod info;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use gateway_archive::{Error, Settings, Store};
use gateway_core::Transport;

type Failure = Box<dyn std::error::Error>;

/// The time until the writer was done (the container may be frozen so long), and until all was published.
struct Took {
    writer: Duration,
    whole: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let home = PathBuf::from(arguments.next().ok_or("name a directory to work in")?);
    let mib: usize = arguments.next().map_or(Ok(1024), |text| text.parse())?;
    let rounds: u128 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let (store, _) = Store::open(Settings::new(home.join("store")))?;
    let block = block();
    for round in 0..rounds {
        let plain = direct(&home.join("plain"), &block, mib)?;
        let fifo = through(&store, Transport::Fifo, round, &block, mib).await?;
        let file = through(&store, Transport::File, round, &block, mib).await?;
        let digest = digest(&block, mib).div_duration_f64(plain.whole);
        let line = format!(
            "{mib} MiB: plain {:.3} s; digest alone {digest:.2}; fifo: writer {:.2}, published {:.2}; file: writer {:.2}, published {:.2}\n",
            plain.whole.as_secs_f64(),
            fifo.writer.div_duration_f64(plain.whole),
            fifo.whole.div_duration_f64(plain.whole),
            file.writer.div_duration_f64(plain.whole),
            file.whole.div_duration_f64(plain.whole),
        );
        io::stdout().write_all(line.as_bytes())?;
    }
    Ok(())
}

/// One MiB that does not compress and begins like a tar.
fn block() -> Vec<u8> {
    let mut state = 1u64;
    let mut block: Vec<u8> = (0..1 << 17)
        .flat_map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_le_bytes()
        })
        .collect();
    block.splice(257..262, *b"ustar");
    block
}

fn write(location: &Path, block: &[u8], mib: usize) -> io::Result<()> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(location)?;
    for piece in std::iter::repeat_n(block, mib).flat_map(|block| block.chunks(32 << 10)) {
        file.write_all(piece)?;
    }
    Ok(())
}

fn digest(block: &[u8], mib: usize) -> Duration {
    let begun = Instant::now();
    let mut context = Context::new(&SHA256);
    std::iter::repeat_n(block, mib).for_each(|block| context.update(block));
    std::hint::black_box(context.finish());
    begun.elapsed()
}

fn direct(path: &Path, block: &[u8], mib: usize) -> io::Result<Took> {
    let begun = Instant::now();
    write(path, block, mib)?;
    let whole = begun.elapsed();
    // So that its pages do not compete with the next way's.
    File::open(path)?.sync_all()?;
    std::fs::remove_file(path)?;
    Ok(Took {
        writer: whole,
        whole,
    })
}

async fn through(
    store: &Store,
    transport: Transport,
    round: u128,
    block: &[u8],
    mib: usize,
) -> Result<Took, Failure> {
    let begun = Instant::now();
    let info = info::info(round)?;
    let intake = store
        .intake(store.reserve(&info.target, None)?, info.id, transport, None)
        .await?;
    let (location, block) = (intake.location().to_owned(), block.to_vec());
    let written = tokio::task::spawn_blocking(move || write(&location, &block, mib)).await?;
    let writer = begun.elapsed();
    written?;
    let published: Result<_, Error> = intake.publish(info).await;
    let took = Took {
        writer,
        whole: begun.elapsed(),
    };
    let path = published?.path;
    std::fs::remove_file(&path)?;
    std::fs::remove_file(format!("{}.json", path.display()))?;
    Ok(took)
}
