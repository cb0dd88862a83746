//! A name server that knows no name, so that no test depends on the machine's.

use std::net::SocketAddr;

use tokio::{net::UdpSocket, task::JoinSet};

/// Answers until dropped.
pub(crate) struct Resolver {
    pub(crate) addr: SocketAddr,
    _answering: JoinSet<()>,
}

impl Resolver {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let mut answering = JoinSet::new();
        answering.spawn(async move {
            let mut query = [0; 1024];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                if let Some(answer) = no_such_name(&query[..length]) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Self { addr, _answering: answering }
    }
}

/// RFC 1035 §4.1: the query's header and question, as a response with the code "name error".
fn no_such_name(query: &[u8]) -> Option<Vec<u8>> {
    let mut end = 12;
    while *query.get(end)? != 0 {
        end += 1 + usize::from(query[end]);
    }
    // The name's end, type and class.
    let mut answer = query.get(..end + 5)?.to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    Some(answer)
}
