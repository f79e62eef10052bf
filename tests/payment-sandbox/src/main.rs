//! The sandbox as a program.

use std::{io, net::SocketAddr};

use akademi_payment_sandbox::{Config, IyzicoMerchant, Merchant, serve};
use clap::Parser;

/// PayTR's and iyzico's sides of their protocols, on this machine.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4180")]
    listen: SocketAddr,
    /// A merchant of PayTR's as ID,KEY,SALT,CALLBACK_URL; may be repeated. More can be added over HTTP.
    #[arg(long = "merchant", value_name = "MERCHANT", value_parser = parse_merchant)]
    merchants: Vec<Merchant>,
    /// A merchant of iyzico's as ID,API_KEY,SECRET_KEY,WEBHOOK_URL; may be repeated.
    #[arg(long = "iyzico-merchant", value_name = "MERCHANT", value_parser = parse_iyzico_merchant)]
    iyzico_merchants: Vec<IyzicoMerchant>,
}

fn parse_merchant(text: &str) -> Result<Merchant, String> {
    match text.splitn(4, ',').collect::<Vec<_>>().as_slice() {
        [id, key, salt, url] if !id.is_empty() && !key.is_empty() && !salt.is_empty() => Ok(Merchant {
            merchant_id: (*id).to_owned(),
            merchant_key: (*key).to_owned(),
            merchant_salt: (*salt).to_owned(),
            callback_url: (*url).to_owned(),
        }),
        _ => Err("is not ID,KEY,SALT,CALLBACK_URL".to_owned()),
    }
}

fn parse_iyzico_merchant(text: &str) -> Result<IyzicoMerchant, String> {
    match text.splitn(4, ',').collect::<Vec<_>>().as_slice() {
        [id, key, secret, url] if !key.is_empty() && !secret.is_empty() => Ok(IyzicoMerchant {
            merchant_id: (*id).to_owned(),
            api_key: (*key).to_owned(),
            secret_key: (*secret).to_owned(),
            webhook_url: (*url).to_owned(),
        }),
        _ => Err("is not ID,API_KEY,SECRET_KEY,WEBHOOK_URL".to_owned()),
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let config = Config {
        merchants: arguments.merchants,
        iyzico_merchants: arguments.iyzico_merchants,
        ..Config::default()
    };
    let (address, mut handle) = serve(arguments.listen, config).await?;
    println!("Payment sandbox: http://{address}");
    tokio::select! {
        ended = handle.wait() => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}
