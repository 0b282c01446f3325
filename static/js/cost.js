// What sending would cost, once that is more than a few cents: what the model is to read, at its price.
const WORTH_SAYING = 50_000 // micro-US-dollars
const BYTES_PER_TOKEN = 3.5
const TOKENS_PER_IMAGE = 1_000
const MILLION = 1_000_000

// The newest reply knows how much there is to read by now.
const alreadyRead = () => Number([...document.querySelectorAll("[data-context-tokens]")].at(-1)?.dataset.contextTokens ?? 0)

const imagesIn = (form) => form.querySelector("[data-images]")?.files.length ?? 0

function rateFor(tokens, rates) {
  const steps = rates.split(" ").map((step) => step.split(":").map(Number))
  return steps.findLast(([above]) => above === 0 || tokens > above)[1]
}

function estimate(form) {
  const rates = form.querySelector("[name='model']:checked")?.dataset.inputRates
  if (!rates) return 0
  const text = new TextEncoder().encode(form.elements.body.value).length / BYTES_PER_TOKEN
  const tokens = alreadyRead() + text + imagesIn(form) * TOKENS_PER_IMAGE
  return (tokens * rateFor(tokens, rates)) / MILLION
}

function say(form) {
  const output = form.querySelector("[data-composer-cost]")
  const micros = form.elements.body.value.trim() || imagesIn(form) ? estimate(form) : 0
  output.hidden = micros < WORTH_SAYING
  const amount = (micros / MILLION) * (Number(form.dataset.exchangeRate) / MILLION)
  const style = { style: "currency", currency: form.dataset.currency, currencyDisplay: "narrowSymbol" }
  output.textContent = output.hidden ? "" : `about ${new Intl.NumberFormat("en", style).format(amount)}`
}

for (const kind of ["input", "change"])
  document.addEventListener(kind, (event) => {
    const form = event.target.form
    if (form?.matches("[data-composer]")) say(form)
  })
