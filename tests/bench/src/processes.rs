//! What the system tells about running processes (proc(5)).

use anyhow::Context;
use std::{collections::BTreeSet, fs, path::Path};

/// The processes that `ancestor` started, and those that these started.
///
/// # Errors
/// When the system does not tell.
pub fn below(ancestor: u32) -> anyhow::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Ok(process) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // It may have ended since.
        if let Some(parent) = status(process, "PPid") {
            parents.push((process, parent));
        }
    }
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&of) = found.get(next) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == u64::from(of)).map(|(child, _)| child));
        next += 1;
    }
    Ok(found.split_off(1))
}

/// A process's name, at most 15 bytes of it.
pub fn name(process: u32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{process}/comm")).ok()?.trim_end().to_owned())
}

/// The most memory that a process has had at once, in bytes, since it began or [`forget_peak`].
pub fn peak_memory(process: u32) -> Option<u64> {
    status(process, "VmHWM").map(|kibibytes| kibibytes * 1024)
}

/// Makes the peak begin anew at what the process has now.
///
/// # Errors
/// When it is not a process of one's own.
pub fn forget_peak(process: u32) -> anyhow::Result<()> {
    fs::write(format!("/proc/{process}/clear_refs"), "5").context("resetting the peak of memory")
}

/// The TCP ports that a process listens on (IPv4).
pub fn listening_ports(process: u32) -> BTreeSet<u16> {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let sockets: BTreeSet<_> = descriptors
        .filter_map(|descriptor| {
            let target = fs::read_link(descriptor.path()).ok()?;
            Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let table = fs::read_to_string(Path::new("/proc/net/tcp")).unwrap_or_default();
    let listening = table.lines().filter_map(listener);
    listening.filter(|(socket, _)| sockets.contains(*socket)).map(|(_, port)| port).collect()
}

/// The inode and the port of a line of `/proc/net/tcp` whose state is LISTEN.
fn listener(line: &str) -> Option<(&str, u16)> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_whitespace().skip(1);
    let (_, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    let socket = fields.nth(5)?;
    (state == LISTEN).then_some((socket, u16::from_str_radix(port, 16).ok()?))
}

/// The first number of a line of `/proc/<pid>/status`.
fn status(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::TcpListener,
        process::{Command, Stdio, id},
    };

    #[test]
    fn a_child_is_found_by_its_ancestor_and_by_name() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(below(id()).unwrap().contains(&child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!below(id()).unwrap().contains(&child.id()));
    }

    #[test]
    fn a_listener_is_a_port_of_its_process_as_long_as_it_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listening_ports(id()).contains(&port));
        drop(listener);
        assert!(!listening_ports(id()).contains(&port));
    }

    #[test]
    fn a_peak_of_memory_stays_until_it_is_forgotten() {
        const MUCH: u64 = 64 << 20;
        drop(std::hint::black_box(vec![1_u8; MUCH as usize]));
        let peak = peak_memory(id()).unwrap();
        assert!(peak >= MUCH, "{peak}");
        forget_peak(id()).unwrap();
        assert!(peak_memory(id()).unwrap() < peak);
    }
}
