// The message box: Enter sends, Shift+Enter is a new line, and text leaves the box only once it is stored.
const COMPOSER = "[data-composer]"
const grows = CSS.supports("field-sizing", "content")
let sent = ""
// What was sent last, under which key, since a message was known to be stored.
let tried = {}

const boxOf = (form) => form.elements.body
const isComposer = (element) => element instanceof HTMLFormElement && element.matches(COMPOSER)

// A key names the next message: sending it twice, after a lost answer, stores it once.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

function send(form) {
  // Images alone are no question; the browser says then that words are missing.
  const isSomething = boxOf(form).value.trim() || form.elements.images.files.length
  if (isSomething && !form.matches(".htmx-request")) form.requestSubmit()
}

// Words and images: what is another message when it differs. Empty lines around them are not kept.
const saying = ({ elements }) =>
  JSON.stringify([elements.body.value.replace(/^\n+|\n+$/g, ""), ...Array.from(elements.images.files, (file) => [file.name, file.size, file.lastModified])])

// Messages that were stored while their answer was lost; thread.js leaves out what is there already.
function showMissing() {
  if (document.getElementById("thread"))
    htmx.ajax("GET", location.pathname, { target: "#thread", select: "#thread > article", swap: "beforeend" })
}

function stored(form) {
  const box = boxOf(form)
  // What was typed while the message was on its way belongs to the next one.
  box.value = box.value.startsWith(sent) ? box.value.slice(sent.length).trimStart() : box.value
  if (tried.isAnother) showMissing()
  tried = {}
  form.elements.key.value = newKey()
  box.dispatchEvent(new Event("input", { bubbles: true }))
  box.focus()
  form.dispatchEvent(new CustomEvent("parley:sent", { bubbles: true }))
}

// An expired session answers with the way to the login page; the text was not stored.
const wasStored = ({ response, hx }) => response.raw.ok && !hx?.redirect?.startsWith("/login")

document.addEventListener("keydown", (event) => {
  const form = event.target.form
  if (event.key !== "Enter" || event.shiftKey || !isComposer(form) || event.target !== boxOf(form)) return
  // While characters are being composed (Japanese, Chinese, …) Enter chooses one. On a touch screen it is a new line.
  if (event.isComposing || event.keyCode === 229 || matchMedia("(hover: none)").matches) return
  event.preventDefault()
  send(form)
})

// The answer may have been lost after the message was stored. What says something else is another message, then.
document.addEventListener(
  "submit",
  ({ target: form }) => {
    if (!isComposer(form) || form.matches(".htmx-request")) return
    const { key } = form.elements
    const isAnother = tried.key === key.value && tried.saying !== saying(form)
    if (isAnother) key.value = newKey()
    tried = { key: key.value, saying: saying(form), isAnother: isAnother || tried.isAnother }
  },
  true,
)

document.addEventListener("htmx:before:request", (event) => {
  if (isComposer(event.target)) sent = boxOf(event.target).value
})

document.addEventListener("htmx:after:request", (event) => {
  if (isComposer(event.target) && wasStored(event.detail.ctx)) stored(event.target)
})

if (!grows) {
  document.addEventListener("input", (event) => {
    if (!event.target.matches(`${COMPOSER} textarea`)) return
    event.target.style.height = "auto"
    event.target.style.height = `${event.target.scrollHeight}px`
  })
}
