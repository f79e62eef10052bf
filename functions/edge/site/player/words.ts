// What the player says, by the page's language.

const turkish: Record<string, string> = {
  seconds: "sn",
  completed: "Bu dersi tamamladınız.",
  "not-signed-in": "İzlemek için oturum açın.",
  "not-found": "Bu derse kayıtlı değilsiniz.",
  "lesson-closed": "Bu ders henüz açılmadı.",
  "video-not-ready": "Video hazırlanıyor; birkaç dakika sonra yeniden deneyin.",
  "nothing-to-play": "Bu derste video yok.",
  offline: "Bağlantı koptu; izledikleriniz bağlantı gelince sayılacak.",
  too_late: "Bir günden sonra bildirilen süre sayılmadı.",
  new_playback: "Oynatıcı yeni açıldığı için bu süre henüz sayılmadı.",
  too_fast: "İzin verilenden hızlı oynatıldığı için bazı saniyeler sayılmadı.",
  not_elapsed: "Geçen zamandan fazlası sayılmadı.",
  time_already_counted: "Bu zaman başka bir ders, sekme ya da cihaz için sayıldı.",
  not_delivered: "Bu oturuma gönderilmeyen bölümler sayılmadı.",
  other: "Video oynatılamadı; sayfayı yenileyin.",
};

const english: Record<string, string> = {
  seconds: "s",
  completed: "You have completed this lesson.",
  "not-signed-in": "Sign in to watch.",
  "not-found": "You are not enrolled in this course.",
  "lesson-closed": "This lesson is not open yet.",
  "video-not-ready": "The video is being prepared; try again in some minutes.",
  "nothing-to-play": "This lesson has no video.",
  offline: "The connection is lost; what you watch will count when it is back.",
  too_late: "Time that is told of after more than a day does not count.",
  new_playback: "The player was just opened: this time does not count yet.",
  too_fast: "Some seconds do not count: they were played faster than is allowed.",
  not_elapsed: "No more counts than the time that has passed.",
  time_already_counted: "That time was counted for another lesson, tab or device.",
  not_delivered: "Parts that were not sent to this session do not count.",
  other: "The video could not be played; reload the page.",
};

const words = document.documentElement.lang.startsWith("tr") ? turkish : english;

export const say = (key: string): string => words[key] ?? words.other;
