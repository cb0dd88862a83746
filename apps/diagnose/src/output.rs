//! Writes to standard output and standard error, which may be closed pipes or full disks.

use std::io::{self, ErrorKind, Write};

/// Prints text in color on a terminal. A reader that has closed the pipe, such as `head`, is no
/// error.
///
/// # Errors
/// Returns any other error, such as that of a full disk.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints one line on standard error. Unlike `eprintln!`, it does not panic if that is closed.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
