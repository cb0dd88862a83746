//! Secrets that a server sends back.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    program::text,
    server::{read_some, start, start_greeting},
};

const SECRET: &str = "hunter2-0123456789";

/// Asserts that neither the text nor the JSON contains the secret, and that both replace it.
async fn assert_redacted(arguments: &[&str]) {
    for extra in [&[][..], &["--json"]] {
        let text = text(&[arguments, extra].concat()).await;
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.contains("aHVudGVyMi0"), "in base64: {text}");
        assert!(text.contains("REDACTED"), "{text}");
    }
}

/// Starts a server whose error response contains the request, in its headers and in its body.
async fn start_echo(encode: fn(&str) -> String) -> String {
    let address = start(move |mut stream| async move {
        let mut request = vec![0; 8192];
        let size = stream.read(&mut request).await?;
        let request = String::from_utf8_lossy(&request[..size]).into_owned();
        let line = request.replace("\r\n", " ");
        let body = encode(&request);
        let response = format!(
            "HTTP/1.1 500 x\r\nserver: {line}\r\nvia: 1.1 {line}\r\nx-request-id: {line}\r\n\
             proxy-status: \"{}\"; error=connection_refused\r\n\
             content-length: {}\r\n\r\n{body}",
            line.replace('"', ""),
            body.len()
        );
        stream.write_all(response.as_bytes()).await
    })
    .await;
    format!("http://{address}")
}

#[tokio::test]
async fn secrets_echoed_in_headers_and_body_are_redacted() {
    let url = start_echo(str::to_owned).await;
    for header in [
        format!("Authorization: Bearer {SECRET}"),
        format!("Cookie: theme=dark; session={SECRET}; a=b"),
        format!("X-Api-Key: {SECRET}"),
    ] {
        assert_redacted(&[&url, "-H", &header]).await;
    }
    assert_redacted(&[&format!("{url}/?token={SECRET}")]).await;
    assert_redacted(&[&url.replace("//", &format!("//me:{SECRET}@"))]).await;
}

#[tokio::test]
async fn secrets_echoed_in_other_encodings_are_redacted() {
    for encode in [
        |text: &str| text.replace('-', "%2D"),
        |text: &str| serde_json::json!({ "request": text }).to_string(),
        // A proxy that truncates the value.
        |text: &str| text.replace("6789", "..."),
    ] {
        let url = start_echo(encode).await;
        let header = format!("Authorization: Bearer {SECRET}");
        assert_redacted(&[&url, "-H", &header]).await;
    }
}

#[tokio::test]
async fn secrets_of_server_in_location_are_redacted() {
    for location in [
        "https://a.example/reset/hunter2a0b1c2d3e4f5a6b7c8d9",
        "/reset/hunter2a0b1c2d3e4f5a6b7c8d9",
        "https://a.example/cb?code=hunter2",
        "https://a.example/bot123:hunter2/getMe",
    ] {
        let address = start(move |mut stream| async move {
            read_some(&mut stream).await?;
            let head =
                format!("HTTP/1.1 302 x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await
        })
        .await;
        for extra in [&[][..], &["--json"]] {
            let url = format!("http://{address}/");
            let arguments = [&[url.as_str()], extra].concat();
            let output = crate::program::run(crate::program::command(&arguments)).await;
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("hunter2") && text.contains("REDACTED"), "{text}");
        }
    }
}

#[tokio::test]
async fn secret_in_greeting_is_redacted() {
    let url = format!("http://{}/", start_greeting(b"220 hello hunter2-0123456789\r\n").await);
    assert_redacted(&[&url, "-H", &format!("X-Key: {SECRET}")]).await;
}
