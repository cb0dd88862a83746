//! The format of the gateway's own errors.

use serde_json::{Value, json};

use crate::{
    exchange::{Connection, gateway_with},
    origin::{Origin, write},
};

/// Returns the status and the JSON body of the response to a request.
fn exchange(dialect: &str, origin: &Origin, request: &str) -> (u16, Value) {
    let keys = format!("dialect = \"{dialect}\"");
    let gateway = gateway_with(origin, "", &keys);
    let mut connection = Connection::open(&gateway);
    connection.send(request);
    let response = connection.read_to_end();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

const LEAVES_BASE: &str = "GET /a/../x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[test]
fn error_of_gateway_has_format_of_dialect() {
    let origin = Origin::start();
    let message = "seawall-gateway: The path leaves the service by dot segments.";
    for (dialect, expected) in [
        (
            "openai",
            json!({ "error": {
                "message": message, "type": "invalid_request_error", "param": null, "code": null,
            } }),
        ),
        (
            "anthropic",
            json!({ "type": "error", "error": {
                "type": "invalid_request_error", "message": message,
            } }),
        ),
        (
            "gemini",
            json!({ "error": { "code": 400, "message": message, "status": "INVALID_ARGUMENT" } }),
        ),
    ] {
        assert_eq!(exchange(dialect, &origin, LEAVES_BASE), (400, expected));
    }
}

#[test]
fn error_of_connection_has_cause_and_advice_in_its_message() {
    let origin = Origin::answer(|_, stream| write(stream, "SSH-2.0-server\r\n"));
    let request = "GET /a/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let (status, body) = exchange("openai", &origin, request);
    assert_eq!((status, &body["error"]["code"]), (502, &"http_protocol_error".into()));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("seawall-gateway: http protocol error. Check "), "{message}");
}
