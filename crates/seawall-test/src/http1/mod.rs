//! HTTP/1.1 on a socket. Written by hand, since libraries keep to the protocol.

mod connection;
mod head;
mod reader;

pub(crate) use self::connection::serve;
