//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use crate::{
    ConfiguredGateway, config, config_file,
    raw_origin::{LIMIT, RawOrigin},
    start_error,
    tls_origin::Certificates,
};

/// Starts a proxy that connects every tunnel to `target`. Returns the heads of its requests.
fn start_proxy(target: SocketAddr) -> (RawOrigin, Receiver<String>) {
    let (send, heads) = channel();
    let proxy = RawOrigin::start(move |caller, _| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && caller.read_exact(&mut byte).is_ok() {
            head.push(byte[0]);
        }
        send.send(String::from_utf8(head).unwrap()).unwrap();
        let _ = caller.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
        let mut upstream = TcpStream::connect(target).unwrap();
        let (mut from, mut to) = (upstream.try_clone().unwrap(), caller.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(caller, &mut upstream);
    });
    (proxy, heads)
}

#[tokio::test]
async fn https_request_goes_through_tunnel_of_proxy() {
    let certificates = Certificates::issue("upstream.test");
    let authority = config_file(&certificates.authority_pem());
    let (proxy, heads) = start_proxy(certificates.serve(&[]).await);
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        let gateway = ConfiguredGateway::start_with_env(
            &config("https://upstream.test", ""),
            &[
                (variable, &format!("http://ann:s3cret@{}", proxy.address)),
                ("SSL_CERT_FILE", authority.path().to_str().unwrap()),
            ],
        );
        assert_eq!(gateway.request("GET").await, (200, "HTTP/1.1".into()));
        let head = heads.recv_timeout(LIMIT).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("connect upstream.test:443 http/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nproxy-authorization: basic yw5uonmzy3jlda==\r\n"), "{head}");
    }
}

#[tokio::test]
async fn request_fails_as_unsent_when_proxy_refuses_tunnel() {
    let proxy = RawOrigin::responding("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let gateway = ConfiguredGateway::start_with_env(
        &config("https://upstream.test", "[policy]\nretries = 0"),
        &[("HTTPS_PROXY", &proxy.url())],
    );
    assert_eq!(gateway.request("POST").await, (503, "destination_unavailable".into()));
}

#[test]
fn unsupported_proxy_is_refused_at_start() {
    let http = "http://upstream.test";
    let https = "https://upstream.test";
    for (url, variable, proxy) in [
        (http, "HTTP_PROXY", "http://u:s3cret@127.0.0.1:1"),
        (http, "http_proxy", "http://u:s3cret@127.0.0.1:1"),
        (http, "ALL_PROXY", "http://u:s3cret@127.0.0.1:1"),
        (https, "HTTPS_PROXY", "socks5://u:s3cret@127.0.0.1:1"),
        (https, "HTTPS_PROXY", "https://u:s3cret@127.0.0.1:1"),
        (https, "https_proxy", "s3cret !"),
    ] {
        let message = start_error(&config(url, ""), &[(variable, proxy)]);
        assert!(message.contains(variable) && message.contains("upstream.test"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[tokio::test]
async fn proxy_is_not_used_when_it_does_not_apply() {
    let origin = RawOrigin::responding("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine");
    let proxy = ("ALL_PROXY", "http://127.0.0.1:1");
    // A loopback address is never sent to a proxy.
    let gateway = ConfiguredGateway::start_with_env(&config(&origin.url(), ""), &[proxy]);
    assert_eq!(gateway.request("GET").await, (200, "fine".into()));
    // The gateway starts.
    let elsewhere = config("http://upstream.test", "");
    ConfiguredGateway::start_with_env(&elsewhere, &[proxy, ("NO_PROXY", "upstream.test")]);
    ConfiguredGateway::start_with_env(&elsewhere, &[proxy, ("no_proxy", "*")]);
    ConfiguredGateway::start_with_env(&elsewhere, &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    ConfiguredGateway::start_with_env(&elsewhere, &[("HTTP_PROXY", "")]);
    let ignored = "[connections]\nignore_proxy_variables = true";
    ConfiguredGateway::start_with_env(&config("http://upstream.test", ignored), &[proxy]);
}
