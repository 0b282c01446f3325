// Streams that cannot be opened are tried again, streams that died without a word are opened anew, and streams
// that have ended for good are let go. Reconnecting after a break is the work of hx-sse itself.
const CONNECT = "hx-sse:connect"
const LONGEST_PAUSE = 15_000
// The server gives a sign of life every fifteen seconds, when it has nothing else to say.
const LONGEST_SILENCE = 40_000
const GONE = [401, 403, 404, 410]

const silences = new WeakMap()

const opens = (context) => context?.sourceElement?.hasAttribute(CONNECT)

function tryAgain(element) {
  const pause = Math.min(Number(element.dataset.pause ?? 500), LONGEST_PAUSE)
  element.dataset.pause = String(pause * 2)
  setTimeout(() => {
    if (element.isConnected) htmx.ajax("GET", element.getAttribute(CONNECT), { source: element })
  }, pause)
}

// A laptop that slept, or a machine that lost its power, never says that the line is dead.
function hear(connection) {
  clearTimeout(silences.get(connection))
  silences.set(
    connection,
    setTimeout(() => connection.reader?.cancel(), LONGEST_SILENCE),
  )
}

// An error page must not be put where the stream's words belong.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail
  if (!opens(ctx) || ctx.response?.raw?.ok !== false) return
  event.preventDefault()
  if (!GONE.includes(ctx.response.raw.status)) tryAgain(ctx.sourceElement)
})

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail
  if (opens(ctx) && !ctx.response) tryAgain(ctx.sourceElement)
})

document.addEventListener("htmx:sse:after:connection", (event) => {
  delete event.target.dataset.pause
  hear(event.detail.connection)
  // No content instead of a stream: one has to sign in again, and the page knows where to go.
  if (event.detail.connection.status === 204) location.reload()
})

document.addEventListener("htmx:sse:before:message", (event) => hear(event.detail.connection))
document.addEventListener("htmx:sse:close", (event) => clearTimeout(silences.get(event.detail.connection)))

document.addEventListener("htmx:sse:error", (event) => {
  if (GONE.includes(event.detail.status)) event.target.dataset.gone = ""
})

document.addEventListener("htmx:sse:before:connection", (event) => {
  if ("gone" in event.target.dataset) event.preventDefault()
})
