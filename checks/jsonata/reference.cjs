// JSONata's reference engine, for checks/jsonata/reference.py: one JSON request on stdin, one JSON answer on stdout.
//   {"parse": [expression], "evaluate": [{expression, states, variables}], "now": milliseconds}
//   {"parsed": [{error} or {functions, variables, paths, loose}], "evaluated": [{value} or {error}]}
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const jsonata = require("jsonata");

const request = JSON.parse(fs.readFileSync(0, "utf8"));

// What Step Functions adds (its guide, "JSONata functions provided by Step Functions"). Arguments that should be whole
// numbers are rounded down. Clock, chance and identifiers are the same in both engines, or nothing could be compared.
const DIGESTS = { MD5: "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };
const FUNCTIONS = {
  partition: (array, size) => {
    const step = Math.floor(size);
    if (!Array.isArray(array) || !(step > 0)) throw new Error("$partition takes an array and a positive number");
    const parts = [];
    for (let at = 0; at < array.length; at += step) parts.push(array.slice(at, at + step));
    return parts;
  },
  range: (first, last, delta) => {
    const [from, to, step] = [first, last, delta].map(Math.floor);
    if (!step) throw new Error("$range takes three numbers, and a step that is not 0");
    const values = [];
    for (let value = from; step > 0 ? value <= to : value >= to; value += step) values.push(value);
    return values;
  },
  hash: (text, algorithm) => {
    if (typeof text !== "string" || !(algorithm in DIGESTS)) throw new Error("$hash takes a text and an algorithm");
    return crypto.createHash(DIGESTS[algorithm]).update(text, "utf8").digest("hex");
  },
  random: () => 0.5,
  uuid: () => "00000000-0000-4000-8000-000000000000",
  parse: (text) => JSON.parse(text),
  now: () => new Date(request.now).toISOString(),
  millis: () => request.now,
  eval: () => { throw new Error("Step Functions has no $eval"); },
};

function prepared(expression) {
  const parsed = jsonata(expression);
  for (const [name, implementation] of Object.entries(FUNCTIONS)) parsed.registerFunction(name, implementation);
  return parsed;
}

function told(error) {
  const place = error.position === undefined ? "" : ` at ${error.position}`;
  return `${error.code ? error.code + ": " : ""}${error.message ?? error}${place}`;
}

const FILTERS = ["predicate", "stages", "group"]; // parts of a node that have what it gives as their context

// --- What an expression names -----------------------------------------------------------------------------------
class Names {
  constructor() {
    this.functions = new Set(); // called or handed on: $eval
    this.variables = new Set(); // not bound within the expression
    this.paths = new Set(); // what it reads of $states and variables: "states.result.Payload", "attempt"
    this.loose = new Set(); // names, $, $$ that would need an input document, and there is none
  }

  // `bound`: names of the expression's own; `inside`: whether there is a context, made by the expression itself.
  visit(node, bound, inside) {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) return node.forEach((each) => this.visit(each, bound, inside));
    for (const key of FILTERS) this.visit(node[key], bound, true);
    const visitOthers = (skipped) => {
      for (const [key, value] of Object.entries(node))
        if (![...FILTERS, ...skipped].includes(key)) this.visit(value, bound, inside);
    };
    switch (node.type) {
      case "path": return this.path(node, bound, inside);
      case "variable":
        return this.variable(node.value, bound, inside);
      case "name": case "wildcard": case "descendant": case "parent":
        if (!inside) this.loose.add(node.type === "name" ? node.value : node.type);
        return;
      case "block": {
        const own = new Set(bound); // what a statement binds, the next ones see
        return node.expressions.forEach((each) => this.visit(each, own, inside));
      }
      case "bind":
        this.visit(node.rhs, bound, inside);
        bound.add(node.lhs.value);
        return;
      case "lambda": {
        const own = new Set([...bound, ...node.arguments.map((argument) => argument.value)]);
        return this.visit(node.body, own, inside);
      }
      case "transform":
        this.visit(node.pattern, bound, true);
        this.visit(node.update, bound, true);
        return this.visit(node.delete, bound, true);
      case "unary":
        if (node.value !== "{") return visitOthers([]);
        return node.lhs.flat().forEach((each) => this.visit(each, bound, inside));
      default: return visitOthers(["type", "value", "position"]);
    }
  }

  // `names`: of the plain steps below it.
  variable(name, bound, inside, names = []) {
    if (bound.has(name)) return;
    if (name === "" || name === "$") {
      if (name === "$" || !inside) this.loose.add(name === "" ? "$" : "$$");
      return;
    }
    this.paths.add([name, ...names].join("."));
    if (builtIn.has(name)) this.functions.add(name);
    else if (name !== "states") this.variables.add(name);
  }

  path(node, bound, inside) {
    const [first, ...rest] = node.steps;
    if (first.type === "variable") {
      this.variable(first.value, bound, inside, plainNames(first, rest));
      for (const key of FILTERS) this.visit(first[key], bound, true);
    } else this.visit(first, bound, inside);
    for (const step of node.steps) if (step.focus) bound.add(step.focus); // @$x
    for (const step of node.steps) if (step.index) bound.add(step.index); // #$x
    this.visit(rest, bound, true);
  }
}

function plainNames(first, rest) {
  const names = [];
  let step = first;
  for (const next of rest) {
    if (next.type !== "name" || step.stages || step.predicate) break;
    names.push((step = next).value);
  }
  return names;
}

const builtIn = new Set(Object.keys(FUNCTIONS));

async function learnFunctions(expressions) {
  const names = new Set(expressions.flatMap((text) => [...text.matchAll(/\$([A-Za-z_]\w*)/g)].map((found) => found[1])));
  for (const name of names) {
    const value = await jsonata("$" + name).evaluate(undefined);
    if (value && value._jsonata_function) builtIn.add(name);
  }
}

function parse(expression) {
  try {
    const names = new Names();
    names.visit(prepared(expression).ast(), new Set(), false);
    return Object.fromEntries(Object.entries(names).map(([kind, found]) => [kind, [...found].sort()]));
  } catch (error) {
    return { error: told(error) };
  }
}

async function evaluate({ expression, states, variables }) {
  try {
    const value = await prepared(expression).evaluate(undefined, { ...variables, states });
    const text = JSON.stringify(value);
    if (text === undefined || (value && value._jsonata_lambda)) return { error: "did not return a JSON value" };
    return { value: JSON.parse(text) };
  } catch (error) {
    return { error: told(error) };
  }
}

(async () => {
  await learnFunctions(request.parse);
  const evaluated = [];
  for (const each of request.evaluate) evaluated.push(await evaluate(each));
  process.stdout.write(JSON.stringify({ parsed: request.parse.map(parse), evaluated }));
})();
