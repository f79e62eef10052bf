//! Measures rendering: `bench_render [SECONDS]` renders different certificates of three academies on one thread,
//! after a warm-up, and prints one line of JSON. Linux only, since CPU time and memory come from `/proc`.

use std::time::{Duration, Instant};

use akademi_certificates::render::{Certificate, Locale, Renderer};

type Problem = Box<dyn std::error::Error>;

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn main() -> Result<(), Problem> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |argument| argument.parse())?;
    let renderer = Renderer::new()?;
    let start = Instant::now();
    renderer.render(&certificate(0)?)?;
    let first = start.elapsed();
    let mut renders = 1;
    while renders < 200 {
        renderer.render(&certificate(renders)?)?;
        renders += 1;
    }

    let (cpu, wall, memory, before) = (cpu_seconds()?, Instant::now(), resident_mib()?, renders);
    let mut bytes = 0;
    while wall.elapsed() < Duration::from_secs(seconds) {
        bytes += renderer.render(&certificate(renders)?)?.len();
        renders += 1;
    }
    let (cpu, wall) = (cpu_seconds()? - cpu, wall.elapsed());
    let measured = renders - before;
    let figures = serde_json::json!({
        "certificates_per_cpu_second": rounded(measured as f64 / cpu),
        "certificates_per_second": rounded(measured as f64 / wall.as_secs_f64()),
        "certificates": measured,
        "first_milliseconds": rounded(first.as_secs_f64() * 1000.0),
        "bytes_per_certificate": bytes / measured,
        "resident_mib_before": memory,
        "resident_mib_after": resident_mib()?,
    });
    println!("{figures}");
    Ok(())
}

fn certificate(number: usize) -> Result<Certificate, Problem> {
    let (academy, brand, host) = match number % 3 {
        0 => ("Ümraniye Belediyesi Akademisi", "#0b6e4f", "umraniye"),
        1 => ("Kadıköy Akademi", "#7a1f3d", "kadikoy"),
        _ => ("Riverside College", "#1d4e89", "riverside"),
    };
    let serial = format!("{:032x}", (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Ok(Certificate {
        learner_name: format!("Şükrü Iğdır Çağlayangöl {number}"),
        course_title: format!("İklim ve Işık: Açık Ders {}", number % 50),
        academy_name: academy.to_owned(),
        brand_colour: brand.parse()?,
        logo: None,
        verify_url: format!("https://{host}.akademi.example/verify/{serial}").parse()?,
        serial: serial.parse()?,
        issued_on: jiff::civil::date(2026, 11, 21),
        locale: if number.is_multiple_of(2) { Locale::Tr } else { Locale::En },
    })
}

/// Seconds of processor that this process has used, on all its threads (proc_pid_stat(5): utime and stime, in
/// hundredths of a second).
fn cpu_seconds() -> Result<f64, Problem> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no process name in /proc/self/stat")?.1;
    let ticks: Vec<f64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn resident_mib() -> Result<usize, Problem> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number after VmRSS")?.parse::<usize>()? / 1024)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
