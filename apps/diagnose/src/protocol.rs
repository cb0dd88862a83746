//! The protocol of a server by its first bytes.

/// A protocol that a port may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tls,
    Http1,
    Http2,
    /// Another protocol, by its name for people.
    Other(&'static str),
}

impl Protocol {
    /// Returns the name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Http1 => "HTTP/1",
            Self::Http2 => "HTTP/2",
            Self::Other(name) => name,
        }
    }
}

/// The greetings and error replies that start with fixed bytes.
const PREFIXES: [(&[u8], &str); 15] = [
    (b"SSH-", "SSH"),
    (b"RFB ", "VNC"),
    (b"* OK", "IMAP"),
    (b"* BYE", "IMAP"),
    (b"+OK", "POP3"),
    (b"AMQP", "AMQP"),
    (b"@RSYNCD:", "rsync"),
    (b"-ERR ", "Redis"),
    (b"-DENIED ", "Redis"),
    (b"-NOAUTH ", "Redis"),
    (b"ERROR\r\n", "memcached"),
    (b"INFO {", "NATS"),
    (b"SIP/2.0", "SIP"),
    (b"RTSP/1.0", "RTSP"),
    (b"ICY 200", "SHOUTcast"),
];

/// Returns the protocol of a server by the first bytes that it sent. `None` if they are unknown.
pub(crate) fn identify(first: &[u8]) -> Option<Protocol> {
    match first {
        // A TLS record: an alert, because the request is not TLS (RFC 8446 §5.1 and §6).
        [0x15, 3, 0..=4, 0, 2, ..] => return Some(Protocol::Tls),
        // The first frame of an HTTP/2 server: SETTINGS, or GOAWAY (RFC 9113 §3.4).
        [0, _, _, 4 | 7, _, 0, 0, 0, 0, ..] => return Some(Protocol::Http2),
        // The first packet of MySQL: its length, the sequence number 0, and the version 10 or an
        // error (MySQL protocol, Protocol::HandshakeV10 and ERR_Packet).
        [_, _, 0, 0, 10 | 0xff, ..] => return Some(Protocol::Other("MySQL")),
        // An error of PostgreSQL about a packet that is none of its own: `E`, and the length.
        [b'E', 0, 0, _, _, b'S', ..] => return Some(Protocol::Other("PostgreSQL")),
        // IAC WILL or IAC DO: Telnet negotiates its options (RFC 854).
        [0xff, 0xfb | 0xfd, ..] => return Some(Protocol::Other("Telnet")),
        _ => {}
    }
    if first.starts_with(b"HTTP/") {
        return Some(Protocol::Http1);
    }
    if first.starts_with(b"220 ") || first.starts_with(b"220-") || first.starts_with(b"554 ") {
        return Some(Protocol::Other(mail_or_ftp(first)));
    }
    let prefix = PREFIXES.iter().find(|(prefix, _)| first.starts_with(prefix));
    prefix.map(|(_, name)| Protocol::Other(name))
}

/// Returns the name of a server that greets with 220 or 554, by the words of its greeting.
fn mail_or_ftp(first: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(first).to_ascii_lowercase();
    if text.contains("smtp") || text.contains("postfix") || text.starts_with("554") {
        "SMTP"
    } else if text.contains("ftp") || text.contains("filezilla") {
        "FTP"
    } else {
        "SMTP or FTP"
    }
}

/// Returns the first line that the server sent, if it is text.
pub(crate) fn greeting(first: &[u8]) -> Option<String> {
    let line = first.split(|&byte| byte == b'\n').next()?.trim_ascii_end();
    let is_text = line.len() >= 3 && line.iter().all(|&b| b == b' ' || b.is_ascii_graphic());
    is_text.then(|| String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Protocol, greeting, identify};

    #[test]
    fn identify_names_protocol_of_first_bytes() {
        for (first, name) in [
            (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "SSH"),
            (b"J\0\0\0\n8.4.0\0", "MySQL"),
            (b"E\0\0\0\xff\x10\x04Too many connections", "MySQL"),
            (b"E\0\0\0\x8dSFATAL\0", "PostgreSQL"),
            (b"220 mail.example ESMTP Postfix\r\n", "SMTP"),
            (b"220 (vsFTPd 3.0.5)\r\n", "FTP"),
            (b"220 ready\r\n", "SMTP or FTP"),
            (b"-ERR unknown command\r\n", "Redis"),
            (b"\x15\x03\x01\0\x02\x02\x46", "TLS"),
            (b"\0\0\x12\x04\0\0\0\0\0", "HTTP/2"),
            (b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1"),
        ] {
            assert_eq!(identify(first).map(Protocol::name), Some(name), "{first:?}");
        }
        for first in [&b""[..], b"\x16\x03\x01 this is not HTTP", b"hello", b"H"] {
            assert_eq!(identify(first), None, "{first:?}");
        }
    }

    #[test]
    fn greeting_is_first_line_unless_binary() {
        assert_eq!(greeting(b"SSH-2.0-x\r\nmore").as_deref(), Some("SSH-2.0-x"));
        assert_eq!(greeting(b"J\0\0\0\n8.4.0\0"), None);
        assert_eq!(greeting(b"\x1b[31mred\r\n"), None);
    }
}
