//! Mistakes in `[server]`.

use std::fs;

use crate::support::gateway;

#[test]
fn invalid_server_table_is_reported_in_one_line_with_position() {
    for (server, expected) in [
        ("head_timout = \"1s\"", "FILE:2: unknown field `head_timout`, expected one of `head_t"),
        ("head_timeout = 5", "FILE:2: head_timeout: invalid type: integer `5`, expected a dur"),
        ("head_timeout = \"0s\"", "FILE:2: head_timeout: expected a duration above 0s and up to"),
        ("idle_timeout = \"0ms\"", "FILE:2: idle_timeout: expected a duration above 0s and up to"),
        ("send_timeout = \"0s\"", "FILE:2: send_timeout: expected a duration above 0s and up to"),
        ("drain_timeout = \"0s\"", "FILE:2: drain_timeout: expected a duration above 0s and up"),
        ("shutdown_delay = \"0s\"", "FILE:2: shutdown_delay: expected a duration above 0s and up"),
        ("drain_timeout = \"999 years\"", "FILE:2: drain_timeout: expected a duration above 0s"),
        ("max_connections = 0", "FILE:2: max_connections: invalid value: integer `0`, expected"),
        ("tls = { cert = \"c\" }", "FILE:2: tls: missing field `key`"),
        (
            "tls = { cert = \"c\", key = \"k\", handshake_timeout = \"0s\" }",
            "FILE:2: tls: expected a duration above 0s and up to 1 year",
        ),
        (
            "tls = { cert = \"/nowhere/c\\u001b.pem\", key = \"k\" }",
            "FILE:2: server.tls.cert: \"/nowhere/c\\u{1b}.pem\": cannot read: No such file",
        ),
    ] {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let service = "[[service]]\nname = \"a\"\nurl = \"http://h\"\n";
        fs::write(file.path(), format!("[server]\n{server}\n{service}")).unwrap();
        let path = file.path().to_str().unwrap();
        let output = gateway(&["--config", path, "--listen", "127.0.0.1:0"]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        let message = message.replace(path, "FILE");
        assert!(message.starts_with(expected), "{message}\nfor {server}");
    }
}
