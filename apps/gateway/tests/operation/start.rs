//! The lines of the log at the start.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use crate::{
    config_file, json_lines, path,
    support::{GatewayProcess, gateway},
};

const CONFIG: &str = "[[service]]\nname = \"chat\"\ndialect = \"openai\"\n\
    [[service.upstream]]\nurl = \"http://127.0.0.1:1/v1\"\napi_key_env = \"KEY_ONE\"\n\
    [[service.upstream]]\nurl = \"http://127.0.0.1:2\"\n\
    [[service]]\nname = \"billing\"\nurl = \"http://127.0.0.1:3\"\n";

const KEY: (&str, &str) = ("KEY_ONE", "key-one-secret");

/// Returns standard output and standard error of a gateway that gets SIGTERM after its start.
fn output(arguments: &[&str]) -> (String, String) {
    let mut gateway = gateway(&[&["--listen", "127.0.0.1:0"], arguments].concat())
        .env(KEY.0, KEY.1)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut listening = String::new();
    let mut stdout = std::io::BufReader::new(gateway.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut listening).unwrap();
    Command::new("kill").args(["-TERM", &gateway.id().to_string()]).status().unwrap();
    let output = gateway.wait_with_output().unwrap();
    (listening, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn start_lists_services_and_dashboard_in_one_line_each() {
    let file = config_file(CONFIG);
    let (listening, log) = output(&["--config", path(&file)]);
    let url = listening.trim().strip_prefix("listening on ").unwrap();
    assert_eq!(
        log,
        format!(
            "service /chat (openai): http://127.0.0.1:1/v1 key=KEY_ONE, http://127.0.0.1:2/\n\
             service /billing: http://127.0.0.1:3/\n\
             dashboard at {url}/\n\
             draining\n"
        )
    );
}

#[test]
fn start_and_end_are_json_when_log_is_json() {
    let file = config_file(CONFIG);
    let (listening, log) = output(&["--config", path(&file), "--log", "json"]);
    let lines = json_lines(&log);
    assert_eq!(lines.len(), 4, "{log}");
    for line in &lines {
        let keys: BTreeSet<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(Vec::from_iter(keys), ["fields", "level", "target", "timestamp"]);
        assert_eq!(line["level"], "INFO");
    }
    let service = &lines[0]["fields"]["service"];
    assert_eq!((&service["name"], &service["dialect"]), (&"chat".into(), &"openai".into()));
    assert_eq!(service["upstreams"][0]["key"], "KEY_ONE");
    assert_eq!(service["upstreams"][1]["key"], serde_json::Value::Null);
    let url = listening.trim().strip_prefix("listening on ").unwrap();
    assert_eq!(lines[2]["fields"]["url"], format!("{url}/"));
    assert_eq!(lines[3]["fields"]["message"], "draining");
    assert!(!log.contains(KEY.1));
}

#[test]
fn notices_are_logged_when_rust_log_is_off() {
    let file = config_file(CONFIG);
    let arguments = ["--config", path(&file)];
    let variables = [KEY, ("RUST_LOG", "off")];
    let gateway = GatewayProcess::start_with_env(&arguments, &variables);
    let (code, log) = gateway.stop("-TERM");
    assert_eq!((code, log.as_str()), (Some(0), "draining\n"));
}
