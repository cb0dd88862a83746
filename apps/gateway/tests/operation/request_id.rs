//! `x-request-id` of requests and responses.

use http::HeaderMap;
use scripted_origin::{Origin, Script};

use crate::{
    config_file, gateway_with, path,
    support::{GatewayProcess, send},
};

/// Returns the id that the origin received last.
fn forwarded_id(origin: &Origin) -> String {
    let head = origin.received().pop().unwrap().head;
    let ids: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert_eq!(ids.len(), 1, "{head}");
    ids[0].trim().to_owned()
}

fn id(headers: &HeaderMap) -> &str {
    assert_eq!(headers.get_all("x-request-id").iter().count(), 1);
    headers["x-request-id"].to_str().unwrap()
}

async fn headers(gateway: &GatewayProcess, fields: &[(&str, &str)]) -> HeaderMap {
    send("GET", &format!("{}/x/a", gateway.url), fields).await.into_parts().0.headers
}

#[tokio::test]
async fn request_gets_new_id_which_upstream_and_caller_share() {
    let (origin, gateway) = gateway_with(Script::Healthy, &[]).await;
    let mut seen = Vec::new();
    for fields in [&[][..], &[("x-request-id", "mine")], &[("x-request-id", "mine")]] {
        let headers = headers(&gateway, fields).await;
        let id = id(&headers).to_owned();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert_eq!(forwarded_id(&origin), id);
        assert!(!seen.contains(&id));
        seen.push(id);
    }
    let not_found = send("GET", &format!("{}/nowhere", gateway.url), &[]).await;
    assert_eq!((not_found.status().as_u16(), id(not_found.headers()).len()), (404, 32));
}

#[tokio::test]
async fn id_of_trusted_proxy_is_kept_if_it_is_valid() {
    let origin = Origin::start(Script::Healthy).await.unwrap();
    let file = config_file(&format!(
        "[forwarding]\ntrusted_proxies = [\"127.0.0.1\"]\n[[service]]\nname = \"x\"\nurl = \"http://{}\"\n",
        origin.addr()
    ));
    let gateway = GatewayProcess::start(&["--config", path(&file)]);
    let long = "a".repeat(129);
    for (received, is_kept) in [
        ("2f6a-77.b:c/d+e=@_~", true),
        (&long[1..], true),
        (&long, false),
        ("", false),
        ("a b", false),
        ("a\"b", false),
        ("a,b", false),
        ("\u{e4}", false),
    ] {
        let headers = headers(&gateway, &[("x-request-id", received)]).await;
        assert_eq!(id(&headers) == received, is_kept, "{received}");
        assert_eq!(forwarded_id(&origin), id(&headers));
    }
    let two = headers(&gateway, &[("x-request-id", "a"), ("x-request-id", "b")]).await;
    assert_eq!(id(&two).len(), 32);
}

#[tokio::test]
async fn own_id_of_upstream_reaches_caller_under_another_name() {
    let script = Script::Always(200, "x-request-id: req_upstream\r\n");
    let (_origin, gateway) = gateway_with(script, &[]).await;
    let headers = headers(&gateway, &[]).await;
    assert_eq!(id(&headers).len(), 32);
    assert_eq!(headers["x-upstream-request-id"], "req_upstream");
}
