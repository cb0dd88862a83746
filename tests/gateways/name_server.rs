//! A name server without names, so that the tests do not depend on the system's resolver.

use std::net::SocketAddr;

use tokio::{net::UdpSocket, task::JoinSet};

/// A name server that responds until it is dropped.
pub(crate) struct NameServer {
    pub(crate) addr: SocketAddr,
    _task: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut query = [0; 1024];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                if let Some(response) = name_error(&query[..length]) {
                    let _ = socket.send_to(&response, from).await;
                }
            }
        });
        Self { addr, _task: task }
    }
}

/// Returns a response with the code "name error" (RFC 1035 §4.1) and the question of `query`.
fn name_error(query: &[u8]) -> Option<Vec<u8>> {
    let mut end = 12;
    while *query.get(end)? != 0 {
        end += 1 + usize::from(query[end]);
    }
    // Includes the terminator of the name, the type and the class.
    let mut response = query.get(..end + 5)?.to_vec();
    response[2..12].copy_from_slice(&[0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    Some(response)
}
