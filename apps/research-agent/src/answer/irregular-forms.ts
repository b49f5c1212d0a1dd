// Forms of English words that a stemmer does not bring together: "kept" finds "keep".
const FAMILIES = `bear bore borne|beat beaten|become became|begin began begun|bend bent|bind bound
|bite bit bitten|blow blew blown|break broke broken|bring brought|build built|burn burnt|buy bought|catch caught
|child children|choose chose chosen|come came|deal dealt|dig dug|draw drew drawn
|drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found
|fly flew flown|foot feet|forbid forbade forbidden|forget forgot forgotten|freeze froze frozen|give gave given
|goes went gone|grow grew grown|hang hung|hear heard|hide hid hidden|hold held|keep kept|know knew known
|lay laid|lead led|leave left|length long|lend lent|life lives|lose lost loss|man men|mean meant|meet met|pay paid
|person people|ride rode ridden|ring rang rung|rise rose risen|run ran|see saw seen|seek sought|sell sold sale
|send sent|shake shook shaken|shine shone|shoot shot|sink sank sunk|sing sang sung|sit sat|sleep slept|speak spoke spoken
|spend spent|stand stood|steal stole stolen|strike struck stricken|swim swam|take took taken|teach taught|tear tore torn
|tell told|think thought|throw threw thrown|wake woke woken|wear wore worn|win won|woman women
|write wrote written|weigh weight|warm warmth|thick thicker thickness|wide wider width|deep deeper depth|high higher height|low lower
|strong stronger strength|old older age|young younger youth|large larger|small smaller|fast faster|late later|early earlier`

const BASES: ReadonlyMap<string, string> = new Map(
  FAMILIES.split('|').flatMap((family) => {
    const [base = '', ...others] = family.trim().split(/\s+/)
    return others.map((form) => [form, base] as const)
  }),
)
const FORMS: ReadonlyMap<string, readonly string[]> = Map.groupBy(BASES.keys(), (form) =>
  String(BASES.get(form)),
)

/** The form under which a word is known: itself, unless its family is irregular. */
export function toBase(word: string): string {
  return BASES.get(word) ?? word
}

/** The word and all forms of its family. */
export function toForms(word: string): readonly string[] {
  const base = toBase(word)
  return [...new Set([word, base, ...(FORMS.get(base) ?? [])])]
}
