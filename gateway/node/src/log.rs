//! Records the output of containers.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};

/// The longest part of a line in one record, in bytes. Longer lines are split into records marked `P` (partial), as in
/// containerd.
const LONGEST: u64 = 16 * 1024;

/// Copies a container's output to its log until the last writer closes it, one record per line, in the format of
/// Kubernetes (`TIMESTAMP STREAM TAG TEXT`; kubernetes/design-proposals-archive, node/kubelet-cri-logging).
pub(crate) async fn record(output: impl AsyncRead + Unpin, stream: &'static str, log: PathBuf) {
    if let Err(error) = copy(output, stream, &log).await {
        tracing::warn!(error = %error, log = %log.display(), stream, "cannot write a container's log");
    }
}

async fn copy(output: impl AsyncRead + Unpin, stream: &str, log: &Path) -> io::Result<()> {
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(log)
        .await?;
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut output)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .await?
            == 0
        {
            return Ok(());
        }
        write(&mut log, stream, &line).await?;
    }
}

/// Writes one record with one `write`, so that the two streams of a container never mix within a line.
async fn write(log: &mut File, stream: &str, line: &[u8]) -> io::Result<()> {
    let (tag, text) = match line.strip_suffix(b"\n") {
        Some(text) => ("F", text),
        None => ("P", line),
    };
    let mut record = format!("{} {stream} {tag} ", jiff::Timestamp::now()).into_bytes();
    record.extend_from_slice(text);
    record.push(b'\n');
    log.write_all(&record).await?;
    log.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn recorded(output: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("0.log");
        copy(output, "stderr", &log).await.unwrap();
        let log = std::fs::read_to_string(log).unwrap();
        log.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn records_time_stream_and_whether_the_line_is_complete() {
        let log = recorded(b"one\n\ntwo").await;
        let (time, rest) = log[0].split_once(' ').unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        assert_eq!(rest, "stderr F one");
        assert!(log[1].ends_with(" stderr F "));
        assert!(log[2].ends_with(" stderr P two"));
        assert_eq!(log.len(), 3);
    }

    #[tokio::test]
    async fn splits_a_long_line_into_bounded_records() {
        let log = recorded(&vec![b'x'; 40_000]).await;
        assert_eq!(log.len(), 3);
        assert!(
            log.iter()
                .all(|line| line.contains(" stderr P x") && line.len() < 17_000)
        );
    }
}
