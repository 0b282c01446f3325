// Reads replies aloud sentence by sentence, through a polite live region: tokens would be a stutter.
const PAUSE = 700
const SENTENCES = /[^]*[.!?…:](?=\s)/
const announcer = document.getElementById("announcer")
const spoken = new Map()
let waiting = 0

function words(article) {
  const parts = article.querySelectorAll(".message__body .prose > *")
  return Array.from(parts, (part) => (part.matches("figure") ? "Code." : part.textContent)).join(" ")
}

function speak(article) {
  const text = words(article).slice(spoken.get(article.id) ?? 0)
  const isRunning = article.matches(".message--live")
  const ready = isRunning ? (text.match(SENTENCES)?.[0] ?? "") : text
  if (!ready.trim()) return
  spoken.set(article.id, (spoken.get(article.id) ?? 0) + ready.length)
  announcer.textContent = ready
}

function update() {
  waiting = 0
  for (const article of document.querySelectorAll(".message--live")) {
    if (!spoken.has(article.id)) spoken.set(article.id, 0)
  }
  for (const id of spoken.keys()) {
    const article = document.getElementById(id)
    if (article) speak(article)
    if (!article?.matches(".message--live")) spoken.delete(id)
  }
}

document.addEventListener("htmx:after:swap", () => {
  waiting ||= setTimeout(update, PAUSE)
})
