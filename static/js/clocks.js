// Times on the reader's clock. The cookie tells the server which one that is.
const YEAR = 31_536_000
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

const styles = {
  time: { hour: "2-digit", minute: "2-digit", hour12: false },
  date: { day: "numeric", month: "long", year: "numeric" },
  both: { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hour12: false },
}
const formats = Object.fromEntries(
  Object.entries(styles).map(([name, style]) => [name, new Intl.DateTimeFormat("en-GB", style)]),
)
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" })

function set(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const moment = new Date(time.dateTime)
    time.textContent = formats[time.dataset.clock].format(moment)
    time.title = exact.format(moment)
  }
}

if (zone && !document.cookie.includes(`timezone=${zone}`))
  document.cookie = `timezone=${zone}; path=/; max-age=${YEAR}; samesite=lax`

set(document)
document.addEventListener("htmx:after:settle", (event) => {
  for (const node of event.detail.newContent) if (node.querySelectorAll) set(node)
})
