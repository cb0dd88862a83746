//! Serves one connection.

use std::{io, time::Duration};

use http::{Method, header};
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    net::TcpStream,
    time::sleep,
};

use super::{
    head::{Framing, has_token},
    reader::Reader,
};
use crate::{action::Action, response::ScriptedResponse, state::UpstreamState, step::Step};

const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Reads requests, and performs the step of each. An error ends the connection.
pub(crate) async fn serve(mut stream: TcpStream, state: &UpstreamState) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = Reader::default();
    loop {
        let head = match reader.head(&mut stream).await {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(()),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    stream.write_all(BAD_REQUEST).await?;
                    stream.shutdown().await?;
                }
                return Err(error);
            }
        };
        let method = head.parts.method.clone();
        let (step, index) = state.receive_head(head.parts);
        if head.expects_continue && head.framing != Framing::Length(0) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        reader.body(&mut stream, head.framing, |data| state.receive_body(index, data)).await?;
        state.receive_end(index);
        if !perform(&mut stream, &step, &method).await? || !head.keep_alive {
            return stream.shutdown().await;
        }
    }
}

/// Performs a step. Returns whether the connection stays open for another request.
async fn perform(stream: &mut TcpStream, step: &Step, method: &Method) -> io::Result<bool> {
    wait(step.delay).await;
    match &step.action {
        Action::Respond => return respond(stream, step.response(), method).await,
        Action::Silent => {
            copy(stream, &mut sink()).await?;
        }
        Action::Reset => {
            // With a linger of zero, closing the socket sends a reset. tokio deprecates the method
            // because other values block.
            #[allow(deprecated)]
            stream.set_linger(Some(Duration::ZERO))?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Action::Garbage => stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await?,
        // `validate` rejects the last two on a socket.
        Action::Close | Action::Refuse | Action::Error(_) => {}
    }
    Ok(false)
}

/// Sends a response. Returns whether the connection stays open for another request.
async fn respond(
    stream: &mut TcpStream,
    response: &ScriptedResponse,
    method: &Method,
) -> io::Result<bool> {
    let head = response.head();
    let reason = head.status().canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", head.status().as_str()).into_bytes();
    for (name, value) in head.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    let body = response.body_parts(method);
    // Sends the head and the body in one packet, unless a delay separates them.
    bytes.extend_from_slice(&body.first);
    stream.write_all(&bytes).await?;
    wait(body.delay).await;
    stream.write_all(&body.second).await?;
    Ok(!body.truncated && !has_token(head.headers(), &header::CONNECTION, "close"))
}

async fn wait(delay: Duration) {
    // A sleep of zero waits for the next tick of the timer.
    if !delay.is_zero() {
        sleep(delay).await;
    }
}
