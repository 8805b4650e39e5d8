# Cantaloupe asks iiif_auth about every image before it opens the file. For Cantaloupe 5; the standard library of Ruby is enough.
#
# Whatever goes wrong is a no: no answer, a late one, an odd one, one about another picture than the one that would be opened.
# How to use it, and what else must be set, is in the README beside this file.

require 'json'
require 'net/http'
require 'timeout'
require 'uri'

class CustomDelegate
  # Cantaloupe sets this before it calls anything else.
  attr_accessor :context

  CHECK = URI(ENV.fetch('IIIF_AUTH_CHECK', 'http://127.0.0.1:8000/iiif-auth/check')).freeze
  SECRET = ENV.fetch('IIIF_AUTH_SECRET', '').freeze
  # The path of the door in DOORS, as readers see it.
  DOOR = ENV.fetch('IIIF_AUTH_DOOR', '/iiif/3/').freeze
  # How many proxies of ours stand before Cantaloupe, each adding to X-Forwarded-For.
  PROXIES = Integer(ENV.fetch('IIIF_AUTH_PROXIES', '0'))
  # From where Django itself asks for info.json, directly and past every proxy.
  DJANGO = ENV.fetch('IIIF_AUTH_DJANGO', '127.0.0.1 ::1').split.freeze

  SECONDS = 1
  MOST_BYTES = 20_000

  # Before the picture is looked at: the place for a yes or a no.
  def pre_authorize(_options = {})
    return description_for_django? if context['request_uri'].to_s.split('?').first.to_s.end_with?('/info.json')

    answer = ask(target)
    answer['status'] == 200 && same?(answer['upstream'])
  rescue StandardError => e
    # An error is not a yes. The message may quote an answer, so only its kind is told.
    warn("iiif_auth: no decision (#{e.class}), so the request is refused.")
    false
  end

  # Asked again once the picture is open; nothing new is known then.
  def authorize(_options = {})
    true
  end

  # What Cantaloupe wants to be able to call, with nothing to add.
  def extra_iiif2_information_response_keys(_options = {})
    {}
  end

  def extra_iiif3_information_response_keys(_options = {})
    {}
  end

  private

  # Path and query as they were sent.
  def target
    path = context['request_uri'].to_s.sub(%r{\Ahttps?://[^/]*}, '')
    raise ArgumentError, 'no path' unless path.start_with?(DOOR)

    path
  end

  def ask(path)
    question = { 'uri' => path, 'method' => 'GET', 'cookie' => header('cookie'), 'address' => address }
    request = Net::HTTP::Post.new(CHECK, 'Content-Type' => 'application/json', 'X-IIIF-Auth-Secret' => SECRET)
    request.body = JSON.generate(question)
    read(request)
  end

  def read(request)
    body = String.new
    # No proxy of the environment's: the secret goes to nobody else.
    http = Net::HTTP.new(CHECK.host, CHECK.port, nil)
    http.use_ssl = CHECK.scheme == 'https'
    http.open_timeout = http.read_timeout = http.write_timeout = SECONDS
    http.max_retries = 0
    # Besides the time of each step, which an answer in drops never exceeds, that of all of them.
    Timeout.timeout(SECONDS) do
      http.request(request) do |response|
        raise IOError, 'no answer' unless response.code == '200'

        response.read_body do |piece|
          body << piece
          raise IOError, 'too much' if body.bytesize > MOST_BYTES
        end
        # Ruby takes what was cut off for whole.
        promised = response['content-length']
        raise IOError, 'cut off' if promised && Integer(promised, 10) != body.bytesize
      end
    end
    parsed(body)
  end

  def parsed(body)
    found = JSON.parse(body, max_nesting: 5)
    raise TypeError, 'no object' unless found.is_a?(Hash)

    found
  end

  # Whether what was decided about is what Cantaloupe is going to open: the name, and for smaller versions the part as well.
  def same?(upstream)
    return false unless upstream.is_a?(String) && !upstream.empty?

    rest = target.split('?').first.delete_prefix(DOOR).split('/', 2).last.to_s
    decoded(upstream) == "#{context['identifier']}/#{decoded(rest)}"
  end

  def decoded(text)
    URI.decode_www_form_component(text.gsub('+', '%2B'))
  end

  # The reader's address: what the outermost of our own proxies saw. An address that anybody could have written counts for nothing.
  def address
    hops = header('x-forwarded-for').split(',').map(&:strip)
    return hops.empty? ? context['client_ip'].to_s : '' if PROXIES.zero?

    hops.length >= PROXIES ? hops[-PROXIES].to_s : ''
  end

  def header(name)
    found = (context['request_headers'] || {}).select { |key, _| key.downcase == name }.values
    found.length == 1 ? found.first.to_s : ''
  end

  # info.json is for Django alone, which publishes its own: Cantaloupe's tells of the original.
  def description_for_django?
    forwarded = %w[x-forwarded-for forwarded x-real-ip via].any? { |name| header?(name) }
    !forwarded && DJANGO.include?(context['client_ip'].to_s)
  end

  def header?(name)
    (context['request_headers'] || {}).keys.any? { |key| key.downcase == name }
  end
end
