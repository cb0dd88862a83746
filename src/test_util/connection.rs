//! One connection of an upstream on a socket.

use std::{io, time::Duration};

use http::{Method, header};
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    net::TcpStream,
    time::sleep,
};

use super::{
    Step,
    action::Action,
    head::{Framing, has_token},
    reader::Reader,
    response::ScriptedResponse,
    shared::Shared,
};

const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Reads one request after another and does what the script says. An error ends the connection: the peer is gone, or
/// sent what is not HTTP/1.
pub(super) async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
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
        let (step, place) = shared.begin(head.parts);
        if head.expects_continue && head.framing != Framing::Length(0) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        reader.body(&mut stream, head.framing, |data| shared.add(place, data)).await?;
        shared.end(place);
        if !act(&mut stream, &step, &method).await? || !head.keep_alive {
            return stream.shutdown().await;
        }
    }
}

/// Returns whether the connection stays open for another request.
async fn act(stream: &mut TcpStream, step: &Step, method: &Method) -> io::Result<bool> {
    pause(step.delay).await;
    match &step.action {
        Action::Respond => return respond(stream, step.response(), method).await,
        Action::Silent => {
            copy(stream, &mut sink()).await?;
        }
        Action::Reset => {
            // Zero makes closing send a reset, at once. Deprecated for all other values, which would block.
            #[allow(deprecated)]
            stream.set_linger(Some(Duration::ZERO))?;
            // Whatever else would be sent before it.
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Action::Garbage => stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await?,
        // Scripts with the last two are not taken for a socket.
        Action::Close | Action::Refuse | Action::Error(_) => {}
    }
    Ok(false)
}

/// Returns whether the connection stays open for another request.
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
    let body = response.halves(method);
    // In one packet, where there is nothing between them.
    bytes.extend_from_slice(&body.first);
    stream.write_all(&bytes).await?;
    pause(body.delay).await;
    stream.write_all(&body.second).await?;
    Ok(!body.truncated && !has_token(head.headers(), &header::CONNECTION, "close"))
}

async fn pause(delay: Duration) {
    // A sleep of zero would wait for the timer's next tick.
    if !delay.is_zero() {
        sleep(delay).await;
    }
}
