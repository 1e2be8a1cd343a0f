//! The documentation's pages are short, and their links lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspaces::{repository, tracked};

/// The most lines of README, and of a page in `docs/`.
const README_LINES: usize = 150;
const PAGE_LINES: usize = 250;

#[test]
fn pages_are_short() {
    for page in tracked("*.md") {
        let longest = match page.as_str() {
            "README.md" => README_LINES,
            page if page.starts_with("docs/") => PAGE_LINES,
            _ => continue,
        };
        let lines = read(&repository().join(&page)).lines().count();
        assert!(lines <= longest, "{page} has {lines} lines");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let broken: Vec<_> = tracked("*.md")
        .iter()
        .flat_map(|page| broken(page))
        .collect();
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

fn broken(page: &str) -> Vec<String> {
    let text = read(&repository().join(page));
    let links = text.split("](").skip(1);
    let targets = links.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let local = targets.filter(|target| !target.contains("://"));
    local
        .filter(|target| !leads_somewhere(page, target))
        .map(|target| format!("{page}: {target}"))
        .collect()
}

fn leads_somewhere(page: &str, target: &str) -> bool {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let page = repository().join(page);
    let file: PathBuf = match file {
        "" => page,
        file => page.parent().unwrap().join(file),
    };
    file.exists() && (heading.is_empty() || has_heading(&file, heading))
}

fn has_heading(file: &Path, anchor: &str) -> bool {
    let text = read(file);
    let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.any(|heading| anchor_of(heading.trim_start_matches('#').trim()) == anchor)
}

/// The anchor that GitHub gives a heading.
fn anchor_of(heading: &str) -> String {
    let lower = heading.to_lowercase().replace(' ', "-");
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    lower.chars().filter(kept).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}
