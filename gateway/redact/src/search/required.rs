//! Literal pieces that every match of an expression contains.

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind};

/// Shorter pieces occur everywhere.
const LENGTH_MIN: usize = 3;
/// The most pieces of one expression.
const PIECES_MAX: usize = 256;
/// The most parts of a sequence that are joined into a piece.
const PARTS_MAX: usize = 32;
/// The farthest that a match may begin before a piece: each place costs an attempt.
pub(super) const BEFORE_MAX: usize = 256;

/// A literal piece of an expression's matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// The least and the most bytes of the match that come before it.
    pub(super) before: (usize, usize),
}

/// Pieces of which every match of `hir` contains at least one; `None` if there are none.
pub(super) fn pieces(hir: &Hir) -> Option<Vec<Piece>> {
    let found = match hir.kind() {
        HirKind::Capture(capture) => pieces(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => pieces(&repetition.sub),
        HirKind::Alternation(branches) => branches
            .iter()
            .map(pieces)
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat()),
        HirKind::Concat(parts) => within(parts),
        _ => None,
    };
    found
        .into_iter()
        .chain(prefixes(hir))
        .filter(|pieces| usable(pieces))
        .min_by_key(|pieces| cost(pieces))
}

/// The best pieces of a sequence: those of one of its parts, shifted by the length of the parts before.
fn within(parts: &[Hir]) -> Option<Vec<Piece>> {
    let mut best: Option<Vec<Piece>> = None;
    let mut before = Some((0, 0));
    for (index, part) in parts.iter().enumerate() {
        let Some((least, most)) = before.filter(|&(_, most)| most <= BEFORE_MAX) else {
            break;
        };
        let rest = parts.iter().skip(index).take(PARTS_MAX).cloned().collect();
        let rest = Hir::concat(rest);
        let whole = (index > 0).then(|| prefixes(&rest)).flatten();
        let moved = [whole, pieces(part)]
            .into_iter()
            .flatten()
            .map(|pieces| moved(pieces, least, most));
        best = best
            .into_iter()
            .chain(moved)
            .filter(|pieces| usable(pieces))
            .min_by_key(|pieces| cost(pieces));
        before = part
            .properties()
            .minimum_len()
            .zip(part.properties().maximum_len());
        before = before.map(|(shortest, longest)| (least + shortest, most.saturating_add(longest)));
    }
    best
}

fn moved(pieces: Vec<Piece>, least: usize, most: usize) -> Vec<Piece> {
    let further = |(from, to): (usize, usize)| (from + least, to.saturating_add(most));
    pieces
        .into_iter()
        .map(|piece| Piece {
            before: further(piece.before),
            ..piece
        })
        .collect()
}

fn prefixes(hir: &Hir) -> Option<Vec<Piece>> {
    let sequence = Extractor::new().extract(hir);
    let piece = |literal: &regex_syntax::hir::literal::Literal| Piece {
        bytes: literal.as_bytes().to_vec(),
        before: (0, 0),
    };
    Some(sequence.literals()?.iter().map(piece).collect())
}

fn usable(pieces: &[Piece]) -> bool {
    (1..=PIECES_MAX).contains(&pieces.len())
        && pieces
            .iter()
            .all(|piece| piece.bytes.len() >= LENGTH_MIN && piece.before.1 <= BEFORE_MAX)
}

/// Few long pieces near the beginning are best: four bytes make a gram, and longer ones are rarer.
fn cost(pieces: &[Piece]) -> (usize, usize, usize) {
    let shortest = pieces
        .iter()
        .map(|piece| piece.bytes.len().min(6))
        .min()
        .unwrap_or(0);
    let spread = pieces
        .iter()
        .map(|piece| piece.before.1 - piece.before.0)
        .max()
        .unwrap_or(0);
    (
        6 - shortest,
        spread / 16 + pieces.len() / 8,
        spread + pieces.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Option<Vec<(String, (usize, usize))>> {
        let hir = regex_syntax::ParserBuilder::new()
            .utf8(false)
            .build()
            .parse(expression)
            .unwrap();
        let shown = |piece: Piece| {
            (
                String::from_utf8_lossy(&piece.bytes).into_owned(),
                piece.before,
            )
        };
        pieces(&hir).map(|pieces| pieces.into_iter().map(shown).collect())
    }

    #[test]
    fn finds_pieces_in_front_inside_and_in_branches() {
        assert_eq!(
            of("sess_[^x]{32}"),
            Some(vec![("sess_".to_owned(), (0, 0))])
        );
        assert_eq!(
            of("[0-9a-f]{8}-secret"),
            Some(vec![("-secret".to_owned(), (8, 8))])
        );
        assert_eq!(
            of(r"\w{2,4}token="),
            Some(vec![("token=".to_owned(), (2, 16))])
        );
        assert_eq!(
            of("(?:abcdef|.ghijkl)z").map(|pieces| pieces.len()),
            Some(2)
        );
        assert_eq!(of("(?:key-|pw-)+").map(|pieces| pieces.len()), Some(2));
    }

    #[test]
    fn finds_no_piece_where_there_is_none() {
        for expression in [
            "[0-9]{16}",
            "ab",
            "a.*secret",
            "(?:secret)?",
            "secret|[0-9]+",
        ] {
            assert_eq!(of(expression), None, "{expression}");
        }
    }
}
