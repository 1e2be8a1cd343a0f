//! Tables of text in aligned columns.

use anstyle::Style;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::style::Style as Borders;
use tabled::settings::{Alignment, Padding};

use crate::output::print;
use crate::printable::printable;
use crate::style::{DIM, PLAIN, styled};

/// The widest cell, in columns of the terminal.
const CELL_WIDTH: usize = 48;
/// Rows that are aligned together. A table of a long log is printed in blocks, so that memory is bounded.
const BLOCK: usize = 256;

/// A cell's text and its style.
pub(crate) type Cell = (String, Style);

/// A table that is printed while rows are added.
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    indent: usize,
    right_aligned: &'static [usize],
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(headings: [&str; N]) -> Self {
        Self {
            rows: vec![headings.map(|heading| styled(DIM, heading))],
            ..Self::without_headings()
        }
    }

    pub(crate) fn without_headings() -> Self {
        Self {
            rows: Vec::new(),
            indent: 0,
            right_aligned: &[],
        }
    }

    /// Puts this many blanks before each row.
    pub(crate) fn indented(self, indent: usize) -> Self {
        Self { indent, ..self }
    }

    /// Aligns these columns, counted from 0, to the right.
    pub(crate) fn right_aligned(self, columns: &'static [usize]) -> Self {
        Self {
            right_aligned: columns,
            ..self
        }
    }

    /// Adds a row. The text may come from anybody: it is made printable and shortened.
    pub(crate) fn row(&mut self, cells: [Cell; N]) {
        self.row_up_to(CELL_WIDTH, cells);
    }

    /// The same with another limit to a cell's width.
    pub(crate) fn row_up_to(&mut self, width: usize, cells: [Cell; N]) {
        let cells = cells.map(|(text, style)| styled(style, &printable(&text, width)));
        self.rows.push(cells);
        if self.rows.len() >= BLOCK {
            self.print_block();
        }
    }

    /// Prints the rows that are not printed yet.
    pub(crate) fn finish(mut self) {
        self.print_block();
    }

    fn print_block(&mut self) {
        self.block().iter().for_each(print);
    }

    /// The lines of the rows so far, which are forgotten.
    fn block(&mut self) -> Vec<String> {
        let mut builder = Builder::new();
        for row in self.rows.drain(..) {
            builder.push_record(row);
        }
        let mut table = builder.build();
        table.with(Borders::empty()).with(Padding::new(0, 2, 0, 0));
        for column in self.right_aligned {
            table.modify(Columns::one(*column), Alignment::right());
        }
        let indent = " ".repeat(self.indent);
        let lines = table.to_string();
        lines
            .lines()
            .map(|line| format!("{indent}{}", line.trim_end()))
            .collect()
    }
}

/// A cell without a style.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    (text.into(), PLAIN)
}

/// A cell without a style; a dash where there is nothing to show.
pub(crate) fn or_dash(text: Option<impl Into<String>>) -> Cell {
    plain(text.map_or_else(|| "-".to_owned(), Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::GOOD;

    #[test]
    fn aligns_styled_and_wide_cells() {
        let mut table = Table::without_headings().indented(2).right_aligned(&[1]);
        table.row([plain("字"), plain("7"), plain("a")]);
        table.row([("good".to_owned(), GOOD), plain("12"), plain("b")]);
        let lines = table.block().into_iter();
        let lines: Vec<_> = lines
            .map(|line| anstream::adapter::strip_str(&line).to_string())
            .collect();
        assert_eq!(lines, ["  字     7  a", "  good  12  b"]);
    }

    #[test]
    fn shortens_and_escapes_cells() {
        let mut table = Table::without_headings();
        table.row([plain("x".repeat(99)), plain("\u{1b}[31m")]);
        let line = table.block().remove(0);
        assert_eq!(line, format!("{}…  \\u{{1b}}[31m", "x".repeat(CELL_WIDTH)));
    }
}
