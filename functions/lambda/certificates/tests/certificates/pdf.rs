//! A rendered certificate as poppler's tools and a QR decoder see it.

use akademi_certificates::render::{Certificate, Renderer};
use std::{fs, path::PathBuf, process::Command};
use tempfile::TempDir;

/// A PDF on disk, for programs that read files.
pub struct Pdf {
    folder: TempDir,
}

impl Pdf {
    pub fn of(certificate: &Certificate) -> Self {
        Self::from_bytes(&Renderer::new().unwrap().render(certificate).unwrap())
    }

    pub fn from_bytes(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("certificate.pdf"), bytes).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a poppler tool prints about the file.
    pub fn tool(&self, program: &str, before: &[&str], after: &[&str]) -> String {
        let output = Command::new(program)
            .current_dir(self.folder.path())
            .args(before)
            .arg("certificate.pdf")
            .args(after)
            .output()
            .unwrap_or_else(|problem| panic!("{program} (Debian: poppler-utils): {problem}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The text, without the places where the page lets a long word break.
    pub fn text(&self) -> String {
        self.tool("pdftotext", &["-enc", "UTF-8"], &["-"]).replace('\u{200b}', "")
    }

    /// Width, height and encoding of each picture.
    pub fn pictures(&self) -> Vec<String> {
        let list = self.tool("pdfimages", &["-list"], &[]);
        let fields = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            [fields[3], fields[4], fields[8]].join(" ")
        };
        list.lines().skip(2).map(fields).collect()
    }

    /// The colour at this place, in points from the upper left corner.
    pub fn dot(&self, x: u32, y: u32) -> [u8; 3] {
        let (x, y) = (x.to_string(), y.to_string());
        let region = ["-r", "72", "-singlefile", "-x", &x, "-y", &y, "-W", "1", "-H", "1"];
        self.tool("pdftoppm", &region, &["dot"]);
        let file = fs::read(self.path("dot.ppm")).unwrap();
        file[file.len() - 3..].try_into().unwrap()
    }

    pub fn pages(&self) -> String {
        let info = self.tool("pdfinfo", &[], &[]);
        info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().to_owned()
    }

    /// The lower half of the page in grey at 200 dots per inch, cut at the middle: what stands left and right.
    pub fn lower_quarters(&self) -> [Raster; 2] {
        [("0", "1100"), ("1300", "1039")].map(|(x, width)| {
            let region =
                ["-gray", "-r", "200", "-singlefile", "-x", x, "-y", "1100", "-W", width, "-H", "554"];
            self.tool("pdftoppm", &region, &["quarter"]);
            Raster::read(&fs::read(self.path("quarter.pgm")).unwrap())
        })
    }
}

/// Grey dots, row by row.
#[derive(PartialEq)]
pub struct Raster {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

impl Raster {
    /// Reads a binary PGM.
    fn read(file: &[u8]) -> Self {
        let header = String::from_utf8_lossy(&file[..40]);
        let [width, height] =
            [1, 2].map(|field| header.split_ascii_whitespace().nth(field).unwrap().parse().unwrap());
        Self { width, height, dots: file[file.len() - width * height..].to_vec() }
    }
}

pub fn qr_codes(pdf: &Pdf) -> Vec<String> {
    let [_, Raster { width, height, dots }] = pdf.lower_quarters();
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
    image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
}
