//! The academy's mail, through `origin`.

use http::Method;

use super::NOTHING;
use crate::{ask::Ask, kind::Kind, recorder::Recorder, seed::lambda::MAILS};

const LIST: &str = "GET /api/v1/mails";
const RETRY: &str = "POST /api/v1/mails/{mail_id}/retry";

pub async fn mail(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, list) = (r.staff.clone(), "/api/v1/mails");
    r.good((LIST, "the academy's"), &staff, Ask::get(list)).await?;
    r.paged(LIST, &staff, list, "").await?;
    let failed = Ask::get(format!("{list}?state=failed"));
    r.send(Kind::Good, (LIST, "those that failed"), &staff, &failed).await?;
    r.bad((LIST, "in no state"), &staff, Ask::get(format!("{list}?state=lost"))).await?;

    let [failed, sent] = MAILS.map(|id| Ask::new(Method::POST, format!("{list}/{id}/retry")));
    r.good((RETRY, "send it again"), &staff, failed.clone()).await?;
    r.bad((RETRY, "which waits"), &staff, failed).await?;
    r.bad((RETRY, "which was sent"), &staff, sent).await?;
    r.bad((RETRY, "unknown"), &staff, Ask::new(Method::POST, format!("{list}/{NOTHING}/retry"))).await?;
    Ok(())
}
