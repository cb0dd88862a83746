//! Text with labels, wrapped to the width of a terminal.

use std::{env, fmt::Write};

use anstyle::Style;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Longer lines are hard to read.
const MAX_COLUMNS: usize = 88;
const MIN_COLUMNS: usize = 20;
/// A terminal with fewer columns has no room for labels beside the text.
const MIN_COLUMNS_FOR_LABELS: usize = 60;
/// The width of a label and the white space around it.
const LABEL_WIDTH: usize = 11;
/// The indentation of text below its label.
const NARROW_INDENT: usize = 4;
const DIM: Style = Style::new().dimmed();

/// Returns the width of the terminal: `COLUMNS`, or the width of standard output, or 88.
pub(crate) fn columns() -> usize {
    let variable = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| width.0.into());
    variable.filter(|&columns| columns > 0).or_else(terminal).unwrap_or(MAX_COLUMNS)
}

/// Text that is being written.
// The results of `write!` are ignored, because writing to a string does not fail.
pub(super) struct Page {
    columns: usize,
    out: String,
}

impl Page {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: columns.clamp(MIN_COLUMNS, MAX_COLUMNS), out: String::new() }
    }

    pub(super) fn into_string(self) -> String {
        self.out
    }

    pub(super) fn empty_line(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn text(&mut self, text: &str) {
        self.item(0, "", 0, text);
    }

    /// Writes a line that a person can copy. The terminal wraps it.
    pub(super) fn unwrapped(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Writes text beside its label, or below it on a narrow terminal.
    pub(super) fn section(&mut self, label: &str, text: &str) {
        if self.is_narrow() {
            if !label.is_empty() {
                self.unwrapped(&format!("  {DIM}{label}{DIM:#}"));
            }
            self.item(NARROW_INDENT, "", 0, text);
        } else {
            let label = format!("{DIM}{label:<7}{DIM:#}");
            self.item(2, &label, LABEL_WIDTH - 4, text);
        }
    }

    /// Writes a command without line breaks.
    pub(super) fn command(&mut self, label: &str, command: &str) {
        if self.is_narrow() {
            self.unwrapped(&format!("  {DIM}{label}{DIM:#}\n{command}"));
        } else {
            self.unwrapped(&format!("  {DIM}{label:<7}{DIM:#}  {command}"));
        }
    }

    /// Writes text after a label with so many visible characters. The next lines start below the
    /// text, or on a narrow terminal below the label.
    pub(super) fn item(&mut self, indent: usize, label: &str, label_width: usize, text: &str) {
        let is_narrow = self.is_narrow();
        let indent = if is_narrow { indent.min(NARROW_INDENT) } else { indent };
        let gap = if label_width == 0 { 0 } else { 2 };
        let first = indent + label_width + gap;
        let next = if is_narrow && first > 0 { NARROW_INDENT } else { first };
        let lines =
            wrap(text, self.columns.saturating_sub(first), self.columns - next.min(self.columns));
        for (index, line) in lines.iter().enumerate() {
            let _ = if index == 0 {
                writeln!(self.out, "{:indent$}{label}{:gap$}{line}", "", "")
            } else {
                writeln!(self.out, "{:next$}{line}", "")
            };
        }
    }

    fn is_narrow(&self) -> bool {
        self.columns < MIN_COLUMNS_FOR_LABELS
    }
}

/// Wraps text to lines, of which the first may have another width.
fn wrap(text: &str, first_width: usize, width: usize) -> Vec<String> {
    let text = join_commands(text, width);
    // textwrap subtracts the indentation of each line from the width.
    let full = first_width.max(width);
    let (first_pad, pad) = (" ".repeat(full - first_width), " ".repeat(full - width));
    let options = Options::new(full)
        .initial_indent(&first_pad)
        .subsequent_indent(&pad)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(width < MIN_COLUMNS_FOR_LABELS - LABEL_WIDTH);
    let lines = textwrap::wrap(&text, options);
    let lines = lines.iter().enumerate().map(|(index, line)| {
        let pad = if index == 0 { &first_pad } else { &pad };
        line.strip_prefix(pad.as_str()).unwrap_or(line).replace(NO_BREAK_SPACE, " ")
    });
    lines.collect()
}

const NO_BREAK_SPACE: &str = "\u{a0}";

/// Prevents line breaks inside commands that fit into a line. Commands are between backticks.
fn join_commands(text: &str, width: usize) -> String {
    let segments = text.split('`').enumerate().map(|(index, segment)| {
        let is_command = index % 2 == 1 && segment.chars().count() + 2 <= width;
        if is_command { segment.replace(' ', NO_BREAK_SPACE) } else { segment.to_owned() }
    });
    segments.collect::<Vec<_>>().join("`")
}
