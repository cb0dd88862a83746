use scripted_origin::{Origin, Script};

use crate::{gateway, open, read_status, resident_kib};

const UPLOADS: usize = 100;

/// The size of each body, of which the last byte never arrives.
const BODY_BYTES: usize = 4 << 20;

/// The documented maximum of kept bodies is 128 MiB. The rest is for buffers of connections.
const MAX_KIB: u64 = (128 + 64) << 10;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "sends 400 MiB"]
async fn stalled_uploads_keep_bounded_memory_and_others_are_served() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let (gateway, _file) = gateway(&format!(
        "[policy]\nany_method = true\n[[service]]\nname = \"a\"\nurl = \"http://{}\"\n",
        origin.addr()
    ));
    let before = resident_kib(gateway.pid());
    let mut post = format!("POST /a/x HTTP/1.1\r\nhost: h\r\ncontent-length: {BODY_BYTES}\r\n\r\n")
        .into_bytes();
    post.resize(post.len() + BODY_BYTES - 1, b'x');
    let mut uploads: Vec<_> = (0..UPLOADS).map(|_| open(&gateway, &post)).collect();
    let growth = resident_kib(gateway.pid()).saturating_sub(before);
    println!("{UPLOADS} stalled uploads take {growth} KiB");
    assert!(growth < MAX_KIB, "{growth} KiB");
    let get = b"GET /a/x HTTP/1.1\r\nhost: h\r\n\r\n";
    assert_eq!(read_status(&mut open(&gateway, get)), 200);
    for upload in &mut uploads {
        std::io::Write::write_all(upload, b"x").unwrap();
        assert_eq!(read_status(upload), 200);
    }
}
