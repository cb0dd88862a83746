//! HTTP/1.1 on a socket. It uses no HTTP library, because these do not violate the protocol.

mod connection;
mod head;
mod reader;

pub(crate) use self::connection::serve;
