//! Servers that do not respond as expected: of another protocol, with resets, with echoed secrets.

mod echoes;
mod greetings;
mod output;
mod plain_and_tls;
mod program;
mod resets;
mod server;
