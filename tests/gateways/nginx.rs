//! nginx, in its stock configuration but for shorter limits, so that a silent origin does not take a minute.

use std::{fs, net::SocketAddr, process::Command};

use crate::gateway::{Gateway, directory, free_port, program};

pub(crate) async fn start(origin: SocketAddr) -> Gateway {
    let addr = free_port();
    let directory = directory("nginx", addr);
    let at = directory.display();
    // One process, which ends when it is killed; everything it writes stays in its directory.
    let config = format!(
        "daemon off;
        master_process off;
        pid {at}/pid;
        error_log {at}/error.log;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {at}/body;
            proxy_temp_path {at}/proxy;
            fastcgi_temp_path {at}/fastcgi;
            uwsgi_temp_path {at}/uwsgi;
            scgi_temp_path {at}/scgi;
            server {{
                listen {addr};
                location / {{
                    proxy_pass http://{origin};
                    proxy_connect_timeout 1s;
                    proxy_read_timeout 1s;
                }}
            }}
        }}"
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(program("nginx"));
    command
        .arg("-p")
        .arg(&directory)
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(directory.join("error.log"));
    Gateway::start(command, directory, addr).await
}
