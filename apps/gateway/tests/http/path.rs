//! The path of the upstream's URL.

use crate::{
    exchange::{gateway, status},
    origin::Origin,
};

#[test]
fn path_that_leaves_base_gets_400_before_anything_is_sent() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for path in [
        "/a/..",
        "/a/../",
        "/a/../metrics",
        "/a/x/../..",
        "/a/x/../../y/z",
        "/a/%2e%2e/y",
        "/a/%2E./y",
        "/a/.%2e",
        "/a/%252e%252e/y",
        "/a/x//../../y",
        "/a/..;/y",
        "/a/..%2fy",
        "/a/..%5Cy",
        "/a/..\\y",
        "/a/x\\..\\..\\y",
        "/a/x%2f..%2f..%2fy",
        "/a/./../y",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(status(&gateway, request), 400, "{path}");
    }
    assert!(origin.received().is_empty());
}

#[test]
fn path_within_base_is_unchanged() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    for (path, expected) in [
        ("/a", "/base/"),
        ("/a/", "/base/"),
        ("/a?q=../..", "/base/?q=../.."),
        ("/a/x/../y", "/base/x/../y"),
        ("/a/./x/.", "/base/./x/."),
        ("/a//h/x", "/base//h/x"),
        ("/a/@h/x", "/base/@h/x"),
        ("/a/x%2fy%20z", "/base/x%2fy%20z"),
        ("/a/...", "/base/..."),
        ("/a/http://h/x", "/base/http://h/x"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(status(&gateway, request), 200, "{path}");
        assert_eq!(origin.received().last().unwrap().target(), expected);
    }
}

#[test]
fn too_long_target_gets_414() {
    let origin = Origin::start();
    let gateway = gateway(&origin);
    let get = |bytes| format!("GET /a/{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(bytes));
    assert_eq!(status(&gateway, get(59_000)), 200);
    assert_eq!(status(&gateway, get(61_000)), 414);
    assert_eq!(origin.received().len(), 1);
}
